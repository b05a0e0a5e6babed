package multiarch_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	multiarch "github.com/multiarch/multiarch/multiarch-ffi/go"
	"github.com/multiarch/multiarch/multiarch-ffi/go/types"
)

// exampleFolder is a new folder, and what removes it.
func exampleFolder() (string, func()) {
	folder, err := os.MkdirTemp("", "multiarch")
	if err != nil {
		log.Fatal(err)
	}
	return folder, func() { _ = os.RemoveAll(folder) }
}

// examplePackages are a package for amd64 and one for arm64.
func examplePackages() []string {
	found, err := filepath.Glob(filepath.Join(os.Getenv("MULTIARCH_PACKAGES"), "*.tar.gz"))
	if err != nil {
		log.Fatal(err)
	}
	return found
}

// Two architectures become one: the tag that had linux/amd64 has linux/arm64, too.
func ExampleClient_Import() {
	folder, remove := exampleFolder()
	defer remove()
	client, err := multiarch.New(multiarch.WithTarget("oci:" + filepath.Join(folder, "store")))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	for _, path := range examplePackages() {
		report, err := client.Import(context.Background(), multiarch.WithPackages(path))
		if err != nil {
			log.Fatal(err)
		}
		at := slices.IndexFunc(report.Value.Images, func(i types.Image) bool { return i.Name == "demo/web:v1.2.0" })
		fmt.Println(report.Value.Images[at].Platforms)
	}
	// Output:
	// [linux/amd64]
	// [linux/amd64 linux/arm64]
}

// A plan says what will happen, can be saved, and is applied only where it still holds.
func ExampleClient_Plan() {
	folder, remove := exampleFolder()
	defer remove()
	client, err := multiarch.New(multiarch.WithTarget("oci:" + filepath.Join(folder, "store")))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	plan, err := client.Plan(context.Background(), multiarch.WithPackages(examplePackages()...))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(plan.Value.Images) > 0, plan.Value.BytesToSend == plan.Value.Cost.BytesToSend)

	report, err := client.Apply(context.Background(), plan.JSON)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Complete)
	// Output:
	// true true
	// true
}

// An error says what kind it is, and where it happened.
func ExampleError() {
	client, err := multiarch.New(multiarch.WithTarget("http://127.0.0.1:1"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	_, err = client.Status(context.Background(), multiarch.WithCredentials(*types.Anonymous()))
	var failed *multiarch.Error
	if errors.Is(err, multiarch.ErrNetwork) && errors.As(err, &failed) {
		fmt.Println("cannot reach", failed.Host)
	}
	// Output: cannot reach 127.0.0.1:1
}

// clusterConfig.yaml says what goes where; logins in it are not printed.
func ExampleClient_ReadConfig() {
	client, err := multiarch.New()
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	config, err := client.ReadConfig([]byte(`
spec:
  addonPackage: {path: [/data/addon-amd64.tar.gz, /data/addon-arm64.tar.gz]}
  imagesAndCharts:
    type: external
    externalImageRepo: https://harbor.example.com
    externalImageRepoUsername: admin
    externalImageRepoPassword: secret
`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(config.Target, config.Credentials)
	fmt.Println(client.CheckOptions(multiarch.WithOptions(*config)))
	// Output:
	// https://harbor.example.com the login of admin
	// <nil>
}
