// Decrypts an OpenPGP message with the library that WAL-G uses, as WAL-G does; a peer for tests.
//
//	openpgp_go KEYFILE <message >plain
//
// Exit code 0 only when the whole message was read and its integrity check held.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/ProtonMail/go-crypto/openpgp"
)

func run() error {
	file, err := os.Open(os.Args[1])
	if err != nil {
		return err
	}
	keys, err := openpgp.ReadArmoredKeyRing(file)
	if err != nil {
		return err
	}
	if len(os.Args) > 2 && os.Args[2] == "encrypt" {
		w, err := openpgp.Encrypt(os.Stdout, keys, nil, nil, nil)
		if err != nil {
			return err
		}
		if _, err = io.Copy(w, os.Stdin); err != nil {
			return err
		}
		return w.Close()
	}
	message, err := openpgp.ReadMessage(os.Stdin, keys, nil, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, message.UnverifiedBody)
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
