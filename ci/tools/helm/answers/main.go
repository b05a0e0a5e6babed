// Answers writes what Helm itself says about version ranges and about the values of chart trees. The tests of
// multiarch-core compare their own answers with these files.
//
//	go -C ci/tools/helm run ./answers HELM multiarch-core/tests/helm
//
// The trees are made from a fixed seed, so that the same Helm gives the same files.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: answers HELM FOLDER")
	}
	helm, folder := os.Args[1], os.Args[2]
	write(filepath.Join(folder, "version_ranges.txt"), versionRanges)
	write(filepath.Join(folder, "chart_trees.jsonl"), func(out *bufio.Writer) { chartTrees(helm, out) })
}

func write(path string, content func(*bufio.Writer)) {
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(file)
	content(out)
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("wrote", path)
}
