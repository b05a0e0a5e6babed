package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

const trees = 800

// How often each tree is rendered, to see where Helm's answer varies from run to run.
const runs = 3

// A tree's files, and Helm's answer: the values, or why Helm refuses the chart, or that its answers vary.
type answer struct {
	Files  map[string]string `json:"files"`
	Values json.RawMessage   `json:"values,omitempty"`
	Error  string            `json:"error,omitempty"`
	Varies bool              `json:"varies,omitempty"`
}

func chartTrees(helm string, out *bufio.Writer) {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	folder, err := os.MkdirTemp("", "trees")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	for seed := range trees {
		maker := maker{rand.New(rand.NewSource(int64(seed))), map[string]string{}}
		maker.chart("", 0)
		maker.files["templates/values.yaml"] = "values: {{ toJson .Values | b64enc }}\n"
		chart := filepath.Join(folder, fmt.Sprint("c", seed, ".tgz"))
		if err := os.WriteFile(chart, pack(maker.files), 0o600); err != nil {
			log.Fatal(err)
		}
		result := answer{Files: maker.files}
		delete(result.Files, "templates/values.yaml")
		for run := range runs {
			values, refusal := render(helm, chart)
			if run > 0 && (!bytes.Equal(values, result.Values) || refusal != result.Error) {
				result.Varies = true
			}
			result.Values, result.Error = values, refusal
		}
		if result.Varies {
			result.Values, result.Error = nil, ""
		}
		if err := encoder.Encode(result); err != nil {
			log.Fatal(err)
		}
	}
}

var rendered = regexp.MustCompile(`(?m)^values: (\S+)$`)

func render(helm, chart string) (json.RawMessage, string) {
	command := exec.Command(helm, "template", "r", chart)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		message := lines[len(lines)-1]
		if strings.Contains(message, "type mismatch on") {
			message = "type mismatch"
		}
		return nil, strings.ReplaceAll(message, filepath.Dir(chart), "")
	}
	found := rendered.FindSubmatch(stdout)
	if found == nil {
		log.Fatalf("no values in %s", stdout)
	}
	values, err := base64.StdEncoding.DecodeString(string(found[1]))
	if err != nil {
		log.Fatal(err)
	}
	return values, ""
}

// Packs the files of a chart. A file below `charts/NAME.tgz/` belongs to a packed subchart.
func pack(files map[string]string) []byte {
	inner, own := map[string]map[string]string{}, map[string][]byte{}
	for path, text := range files {
		if archive, below, packed := strings.Cut(path, ".tgz/"); packed {
			archive += ".tgz"
			if inner[archive] == nil {
				inner[archive] = map[string]string{}
			}
			inner[archive][below] = text
			continue
		}
		own[path] = []byte(text)
	}
	for path, files := range inner {
		own[path] = pack(files)
	}
	paths := make([]string, 0, len(own))
	for path := range own {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	var buffer bytes.Buffer
	compressed := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(compressed)
	for _, path := range paths {
		header := &tar.Header{Name: "chart/" + path, Mode: 0o644, Size: int64(len(own[path]))}
		if err := archive.WriteHeader(header); err != nil {
			log.Fatal(err)
		}
		if _, err := archive.Write(own[path]); err != nil {
			log.Fatal(err)
		}
	}
	if archive.Close() != nil || compressed.Close() != nil {
		log.Fatal("packing failed")
	}
	return buffer.Bytes()
}
