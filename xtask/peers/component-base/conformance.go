package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/component-base/featuregate"
	"k8s.io/klog/v2"
)

// A case has gates and the steps to run on them.
type testCase struct {
	Emulation        string              `json:"emulation"`
	MinCompatibility string              `json:"min_compatibility"`
	Gates            map[string][]spec   `json:"gates"`
	Needs            map[string][]string `json:"needs"`
	Steps            []step              `json:"steps"`
}

type spec struct {
	Version          string `json:"version"`
	MinCompatibility string `json:"min_compatibility"`
	Stage            string `json:"stage"`
	Default          bool   `json:"default"`
	Locked           bool   `json:"locked"`
}

type step struct {
	Do               string          `json:"do"`
	Text             string          `json:"text"`
	Map              map[string]bool `json:"map"`
	Gate             string          `json:"gate"`
	Value            bool            `json:"value"`
	Emulation        string          `json:"emulation"`
	MinCompatibility string          `json:"min_compatibility"`
}

// The outcome of a case. Error is empty if the gates were accepted.
type outcome struct {
	Error string `json:"error"`
	// The first state is the one before any step.
	States []state `json:"states"`
}

type state struct {
	Error    string          `json:"error"`
	Valid    bool            `json:"valid"`
	Values   map[string]bool `json:"values"`
	Explicit []string        `json:"explicit"`
	Known    []string        `json:"known"`
	Text     string          `json:"text"`
}

// Runs each case of `in` and writes its outcome as a line to `out`.
func answer(in io.Reader, out io.Writer) error {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	decoder, encoder := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var asked testCase
		if err := decoder.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := encoder.Encode(asked.run()); err != nil {
			return err
		}
	}
}

func (c *testCase) run() outcome {
	emulation, compatibility := version.MustParse(c.Emulation), version.MustParse(c.MinCompatibility)
	var gate featuregate.MutableVersionedFeatureGate = featuregate.NewVersionedFeatureGateWithMinCompatibility(emulation, compatibility)
	specs := map[featuregate.Feature]featuregate.VersionedSpecs{}
	for name, steps := range c.Gates {
		specs[featuregate.Feature(name)] = versioned(steps)
	}
	if err := gate.AddVersioned(specs); err != nil {
		return outcome{Error: err.Error()}
	}
	needs := map[featuregate.Feature][]featuregate.Feature{}
	for name, all := range c.Needs {
		for _, need := range all {
			needs[featuregate.Feature(name)] = append(needs[featuregate.Feature(name)], featuregate.Feature(need))
		}
	}
	if err := gate.AddDependencies(needs); err != nil {
		return outcome{Error: err.Error()}
	}
	names := append(slices.Sorted(maps.Keys(c.Gates)), "AllAlpha", "AllBeta")
	result := outcome{States: []state{look(gate, names, nil)}}
	for _, step := range c.Steps {
		err := step.take(&gate)
		result.States = append(result.States, look(gate, names, err))
	}
	return result
}

func versioned(steps []spec) featuregate.VersionedSpecs {
	stages := map[string]featuregate.FeatureSpec{
		"Alpha":      {PreRelease: featuregate.Alpha},
		"Beta":       {PreRelease: featuregate.Beta},
		"Ga":         {PreRelease: featuregate.GA},
		"Deprecated": {PreRelease: featuregate.Deprecated},
	}
	var specs featuregate.VersionedSpecs
	for _, step := range steps {
		spec := stages[step.Stage]
		spec.Version, spec.Default, spec.LockToDefault = version.MustParse(step.Version), step.Default, step.Locked
		if step.MinCompatibility != "" {
			spec.MinCompatibilityVersion = version.MustParse(step.MinCompatibility)
		}
		specs = append(specs, spec)
	}
	return specs
}

func (s *step) take(gate *featuregate.MutableVersionedFeatureGate) error {
	switch s.Do {
	case "set":
		return (*gate).Set(s.Text)
	case "map":
		return (*gate).SetFromMap(s.Map)
	case "emulate":
		return (*gate).SetEmulationVersionAndMinCompatibilityVersion(version.MustParse(s.Emulation), version.MustParse(s.MinCompatibility))
	case "override":
		return (*gate).OverrideDefault(featuregate.Feature(s.Gate), s.Value)
	case "override_at":
		return (*gate).OverrideDefaultAtVersion(featuregate.Feature(s.Gate), s.Value, version.MustParse(s.Emulation))
	case "reset":
		return (*gate).ResetFeatureValueToDefault(featuregate.Feature(s.Gate))
	case "copy":
		*gate = (*gate).DeepCopy()
	case "copy_and_reset":
		*gate = (*gate).DeepCopyAndReset()
	default:
		panic(fmt.Sprintf("unknown step %q", s.Do))
	}
	return nil
}

func look(gate featuregate.MutableVersionedFeatureGate, names []string, err error) state {
	result := state{Valid: len(gate.Validate()) == 0, Values: map[string]bool{}, Explicit: []string{}, Known: gate.KnownFeatures()}
	if err != nil {
		result.Error = err.Error()
	}
	for _, name := range names {
		result.Values[name] = gate.Enabled(featuregate.Feature(name))
		if gate.ExplicitlySet(featuregate.Feature(name)) {
			result.Explicit = append(result.Explicit, name)
		}
	}
	slices.Sort(result.Explicit)
	result.Text = gate.(fmt.Stringer).String()
	return result
}
