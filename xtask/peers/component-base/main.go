// Command component-base runs the benchmarks of trimtab-featuregate and the cases of
// `cargo xtask conformance --featuregate` with k8s.io/component-base.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	conformance := flag.Bool("conformance", false, "answer the cases on the standard input, a line each")
	flag.Bool("bench", true, "measure: what it does unless asked for conformance")
	quick := flag.Bool("quick", false, "measure with less work")
	flag.Parse()
	if !*conformance {
		bench(*quick)
		return
	}
	if err := answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "component-base:", err)
		os.Exit(1)
	}
}
