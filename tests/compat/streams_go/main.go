// Reads compressed objects with the Go libraries that WAL-G uses and prints what they make of them: test_streams_walg.
//
//	streams_go FILE...     a line each: SHA-256 and size of the plain bytes, and the file
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

func open(path string, from io.Reader) (io.Reader, error) {
	switch filepath.Ext(path) {
	case ".zst":
		return zstd.NewReader(from)
	case ".lz4":
		return lz4.NewReader(from), nil
	case ".br":
		return brotli.NewReader(from), nil
	case ".lzma":
		return lzma.NewReader(from)
	}
	return nil, fmt.Errorf("%s: no form that is known here", path)
}

func read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := open(path, file)
	if err != nil {
		return err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, plain)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// A reader that stops early leaves bytes behind.
	if rest, _ := io.Copy(io.Discard, file); rest != 0 {
		return fmt.Errorf("%s: %d bytes were not read", path, rest)
	}
	fmt.Printf("%x %d %s\n", hash.Sum(nil), size, path)
	return nil
}

func main() {
	for _, path := range os.Args[1:] {
		if err := read(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
