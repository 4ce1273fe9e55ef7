// protobuf prints the protobuf fields of the built-in kinds, read from the tags of their Go types, one line for each
// field. `cargo xtask codegen protobuf` writes them to a file of our API server.
package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strconv"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	aggregatorv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// special are the types whose JSON is not an object of their fields.
var special = map[reflect.Type]string{
	reflect.TypeOf(metav1.Time{}):                                  "Time",
	reflect.TypeOf(metav1.MicroTime{}):                             "MicroTime",
	reflect.TypeOf(metav1.Duration{}):                              "Duration",
	reflect.TypeOf(metav1.FieldsV1{}):                              "Json",
	reflect.TypeOf(resource.Quantity{}):                            "Quantity",
	reflect.TypeOf(intstr.IntOrString{}):                           "IntOrString",
	reflect.TypeOf(runtime.RawExtension{}):                         "Json",
	reflect.TypeOf(apiextensionsv1.JSON{}):                         "Json",
	reflect.TypeOf(apiextensionsv1.JSONSchemaPropsOrArray{}):       "SchemaOrArray",
	reflect.TypeOf(apiextensionsv1.JSONSchemaPropsOrBool{}):        "SchemaOrBool",
	reflect.TypeOf(apiextensionsv1.JSONSchemaPropsOrStringArray{}): "SchemaOrStrings",
}

type printer struct {
	kinds map[string][]string // the kinds of each type
	types map[string]reflect.Type
}

func main() {
	scheme := clientscheme.Scheme
	for _, add := range []func(*runtime.Scheme) error{apiextensionsv1.AddToScheme, aggregatorv1.AddToScheme} {
		if err := add(scheme); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	p := printer{kinds: map[string][]string{}, types: map[string]reflect.Type{}}
	for kind, goType := range scheme.AllKnownTypes() {
		if isSent(kind) {
			name := p.visit(goType)
			p.kinds[name] = append(p.kinds[name], kind.GroupVersion().String()+"/"+kind.Kind)
		}
	}
	p.print()
}

// unstable are the kinds that our API server serves in a version that is not stable.
var unstable = map[string]string{
	"ClusterTrustBundle":      "v1beta1",
	"LeaseCandidate":          "v1beta1",
	"StorageVersionMigration": "v1beta1",
}

// isSent tells whether a client may send an object of the kind. Unstable versions count only if our API server serves
// them.
func isSent(kind schema.GroupVersionKind) bool {
	if kind.Kind == "DeleteOptions" {
		return kind.Group == "" && kind.Version == "v1" // the same type in every group
	}
	isUnstable := strings.Contains(kind.Version, "alpha") || strings.Contains(kind.Version, "beta")
	if isUnstable && unstable[kind.Kind] != kind.Version || kind.Version == runtime.APIVersionInternal {
		return false
	}
	for _, end := range []string{"List", "Options", "WatchEvent", "Status"} {
		if strings.HasSuffix(kind.Kind, end) {
			return false
		}
	}
	return true
}

// visit records a struct and the structs of its fields, and returns its name.
func (p *printer) visit(goType reflect.Type) string {
	name := strings.ReplaceAll(goType.PkgPath(), "/", ".") + "." + goType.Name()
	name = strings.TrimPrefix(strings.Replace(name, "apiextensions-apiserver.pkg.apis.", "api.", 1), "k8s.io.")
	if _, known := p.types[name]; !known {
		p.types[name] = goType
		for i := range goType.NumField() {
			if number(goType.Field(i)) != 0 {
				p.code(goType.Field(i).Type)
			}
		}
	}
	return name
}

// code returns the code of a value's encoding; the reader of the file defines the codes.
func (p *printer) code(goType reflect.Type) string {
	if code, ok := special[goType]; ok {
		return code
	}
	switch goType.Kind() {
	case reflect.Pointer:
		return p.code(goType.Elem()) + "?"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int32, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "double"
	case reflect.Slice:
		if goType.Elem().Kind() == reflect.Uint8 {
			return "bytes"
		}
		return "[" + p.element(goType.Elem()) + "]"
	case reflect.Map:
		return "{" + p.element(goType.Elem()) + "}"
	case reflect.Struct:
		return p.visit(goType)
	}
	panic("a type that no field has had so far: " + goType.String())
}

// isNamedList tells whether the type is a named list of strings, which is sent as a message.
func isNamedList(goType reflect.Type) bool {
	return goType.Name() != "" && goType.Kind() == reflect.Slice && goType.Elem().Kind() == reflect.String
}

// element returns the code of a list's or a map's elements.
func (p *printer) element(goType reflect.Type) string {
	if isNamedList(goType) {
		return "Strings"
	}
	return p.code(goType)
}

// number returns the field's number, or 0 if it is not sent.
func number(field reflect.StructField) int {
	parts := strings.Split(field.Tag.Get("protobuf"), ",")
	if len(parts) < 3 {
		return 0
	}
	number, err := strconv.Atoi(parts[1])
	if err != nil {
		panic(field.Name + ": " + field.Tag.Get("protobuf"))
	}
	return number
}

func (p *printer) print() {
	names := make([]string, 0, len(p.types))
	for name := range p.types {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		sort.Strings(p.kinds[name])
		fmt.Println(strings.Join(append([]string{name}, p.kinds[name]...), " "))
		goType := p.types[name]
		for i := range goType.NumField() {
			field := goType.Field(i)
			if number(field) == 0 {
				continue
			}
			json, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			code := p.code(field.Type)
			if isNamedList(field.Type) {
				code = "Strings"
			}
			switch field.Type.Kind() {
			case reflect.String, reflect.Bool, reflect.Int32, reflect.Int64:
				if !strings.Contains(options, "omitempty") {
					code += "!" // JSON shows it even if it is empty
				}
			}
			if json == "" {
				json = "^" // JSON shows its fields in the outer object
			}
			fmt.Printf(" %d %s %s\n", number(field), json, code)
		}
	}
}
