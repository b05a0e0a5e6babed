package main

import (
	"encoding/json"
	"fmt"
	"log"
	"math/rand"
)

// Makes a tree of charts from few names, so that they meet often.
type maker struct {
	random *rand.Rand
	files  map[string]string
}

var (
	names         = []string{"red", "green", "blue", "grey"}
	aliases       = []string{"first", "second", "red"}
	keys          = []string{"x", "y", "image", "enabled"}
	chartVersions = []string{"1.0.0", "1.2.3", "1.4.0", "2.0.0", "2.1.0-rc.1", "90", "v1.3.0", "0.3.0+1", "6.5.007"}
	someRanges    = []string{"*", "1.x", "1.X.X", "^1.0.0", "2", ">=1.0.0 <3.0.0", "1.2.3", "~1.2", "*-0", ">0", "1.0.0 - 2.0.0", "9.x", ">=0-0", ""}
	conditions    = []string{"red.enabled", "green.enabled", "first.enabled", "x.on", "x.on,red.enabled", "global.on", "y", "none.at.all", " x.on", "image.x"}
	tagNames      = []string{"front", "back"}
)

func one[T any](m maker, of []T) T { return of[m.random.Intn(len(of))] }

func (m maker) chance(percent int) bool { return m.random.Intn(100) < percent }

// Adds the files of one chart below a folder.
func (m maker) chart(folder string, depth int) string {
	name := "top"
	if depth > 0 {
		name = one(m, names)
	}
	metadata := map[string]any{"apiVersion": one(m, []string{"v1", "v2", "v2"}), "name": name, "version": one(m, chartVersions)}
	if m.chance(1) {
		metadata["version"] = one(m, []string{"10.2.0_738", "latest", "1.2.3.4"})
	}
	var subcharts []string
	for number := range m.random.Intn(4 - depth) {
		place := fmt.Sprintf("%scharts/%s%d", folder, one(m, []string{"s", "red", "green"}), number)
		if m.chance(30) {
			place += ".tgz"
		}
		subcharts = append(subcharts, m.chart(place+"/", depth+1))
	}
	// Ahead of an unlisted chart or a nested one that stands in the way of a table.
	var dependencies []any
	var tables []string
	taken := map[string]bool{}
	for _, subchart := range subcharts {
		tables = append(tables, subchart)
		for m.chance(75) {
			dependency := m.dependency(subchart)
			key := subchart
			if alias, ok := dependency["alias"].(string); ok {
				key = alias
			}
			// Helm refuses a name that is taken, which a few trees are to show.
			if taken[key] && m.chance(97) {
				break
			}
			taken[key] = true
			dependencies = append(dependencies, dependency)
			tables = append(tables, key)
			if m.chance(75) {
				break
			}
		}
	}
	if dependencies != nil || m.chance(30) {
		if dependencies == nil {
			dependencies = []any{}
		}
		if metadata["apiVersion"] == "v1" && m.chance(70) {
			m.files[folder+"requirements.yaml"] = text(map[string]any{"dependencies": dependencies})
		} else {
			metadata["dependencies"] = dependencies
		}
	}
	m.files[folder+"Chart.yaml"] = text(metadata)
	if m.chance(90) {
		m.files[folder+"values.yaml"] = text(m.values(tables, depth))
	}
	return name
}

func (m maker) dependency(name string) map[string]any {
	dependency := map[string]any{"name": name, "version": one(m, someRanges[:7]), "repository": ""}
	if m.chance(25) {
		dependency["version"] = one(m, someRanges)
	}
	if m.chance(3) {
		delete(dependency, "version")
	}
	if m.chance(40) {
		dependency["alias"] = one(m, aliases)
	}
	if m.chance(30) {
		dependency["condition"] = one(m, conditions)
	}
	if m.chance(20) {
		dependency["tags"] = []string{one(m, tagNames)}
	}
	if m.chance(35) {
		dependency["import-values"] = m.imports()
	}
	return dependency
}

func (m maker) imports() []any {
	var all []any
	for range 1 + m.random.Intn(2) {
		switch m.random.Intn(4) {
		case 0, 1:
			all = append(all, one(m, []string{"data", "more"}))
		case 2:
			all = append(all, map[string]any{"child": one(m, keys), "parent": one(m, []string{"x", "image", "image.x", ".", "global"})})
		default:
			all = append(all, map[string]any{"child": "image.x", "parent": "moved.here"})
		}
	}
	return all
}

func (m maker) values(subcharts []string, depth int) map[string]any {
	values := m.table(2)
	for _, subchart := range subcharts {
		if m.chance(60) {
			table := m.table(2)
			if m.chance(40) {
				table["enabled"] = m.chance(70)
			}
			if m.chance(20) {
				table["global"] = m.globals()
			}
			values[subchart] = table
			if m.chance(3) {
				values[subchart] = m.scalar()
			}
		}
	}
	if m.chance(40) {
		values["global"] = m.globals()
	}
	if m.chance(15) {
		values["tags"] = map[string]any{one(m, tagNames): m.chance(40)}
	}
	if depth > 0 && m.chance(50) {
		values["exports"] = map[string]any{"data": m.table(2), "more": m.table(1)}
	}
	return values
}

func (m maker) globals() map[string]any {
	globals := m.table(2)
	if m.chance(20) {
		globals["on"] = m.chance(50)
	}
	return globals
}

func (m maker) table(depth int) map[string]any {
	table := map[string]any{}
	for range m.random.Intn(4) {
		key := one(m, keys)
		if depth > 0 && m.chance(40) {
			table[key] = m.table(depth - 1)
			continue
		}
		table[key] = m.scalar()
	}
	if m.chance(10) {
		table["on"] = m.chance(50)
	}
	return table
}

func (m maker) scalar() any {
	switch m.random.Intn(7) {
	case 0:
		return nil
	case 1:
		return m.chance(50)
	case 2:
		return m.random.Intn(100)
	case 3:
		return []any{m.random.Intn(10), "l"}
	default:
		return fmt.Sprint("v", m.random.Intn(1000))
	}
}

// JSON is YAML.
func text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return string(encoded) + "\n"
}
