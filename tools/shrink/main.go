// Command shrink writes pictures of pages in half their width, for docs/:
//
//	go run ./tools/shrink docs/pages bin/screenshots/home-light-en-1440.png …
package main

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/kovidgoyal/imaging"
)

const (
	width  = 720
	height = 600 // of what is kept, from the top
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "shrink:", err)
		os.Exit(1)
	}
}

func run(folder string, files []string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		whole, err := imaging.Open(file)
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		small := imaging.Resize(whole, width, 0, imaging.Lanczos)
		top := imaging.Crop(small, image.Rect(0, 0, width, height))
		if err := imaging.Save(top, filepath.Join(folder, filepath.Base(file))); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
	}
	return nil
}
