// readlayout reads an image of an OCI layout by name, as podman and skopeo do, and every one of its
// blobs: usage: readlayout DIR NAME ARCHITECTURE. It prints os/architecture of the config.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/oci/layout"
	"go.podman.io/image/v5/pkg/blobinfocache/none"
	"go.podman.io/image/v5/types"
)

func read(dir, name, architecture string) error {
	ctx := context.Background()
	sys := &types.SystemContext{OSChoice: "linux", ArchitectureChoice: architecture}
	ref, err := layout.NewReference(dir, name)
	if err != nil {
		return err
	}
	source, err := ref.NewImageSource(ctx, sys)
	if err != nil {
		return err
	}
	defer source.Close()
	img, err := image.FromUnparsedImage(ctx, sys, image.UnparsedInstance(source, nil))
	if err != nil {
		return err
	}
	config, err := img.OCIConfig(ctx)
	if err != nil {
		return err
	}
	for _, layer := range img.LayerInfos() {
		blob, size, err := source.GetBlob(ctx, layer, none.NoCache)
		if err != nil {
			return err
		}
		verifier := layer.Digest.Verifier()
		if _, err := io.Copy(verifier, blob); err != nil {
			return err
		}
		blob.Close()
		if !verifier.Verified() || size != layer.Size {
			return fmt.Errorf("layer %s is damaged", layer.Digest)
		}
	}
	fmt.Printf("%s/%s\n", config.OS, config.Architecture)
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: readlayout DIR NAME ARCHITECTURE")
		os.Exit(2)
	}
	if err := read(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
