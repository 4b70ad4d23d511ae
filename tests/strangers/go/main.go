// Reader reads a whole transparency log with the Go checksum database's own tree code and
// checks everything that can be checked: signature, tree, entries, proofs, and every file.
//
// Usage: reader -key KEY [-old NOTE]... URL
//
//	reader -paths
//
// It prints a line of JSON, or says on standard error what is wrong and exits with status 1.
// With -paths it reads tiles as "level n width" from standard input and prints their paths.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// report is what was read: all of it has been checked.
type report struct {
	Size    int64  `json:"size"`
	Root    string `json:"root"`
	Entries int64  `json:"entries"` // hashed again, and found in the tree
	Proofs  int    `json:"proofs"`  // of single entries
	Trees   int    `json:"trees"`   // earlier ones that this one continues
	Files   int    `json:"files"`   // derived again from the entries, and equal
}

func main() {
	key := flag.String("key", "", "the log's verifier `key`")
	var old []string
	flag.Func("old", "file of an earlier checkpoint of the log; may be repeated", func(name string) error {
		old = append(old, name)
		return nil
	})
	paths := flag.Bool("paths", false, "print the paths of tiles")
	flag.Parse()
	if *paths {
		printPaths()
		return
	}
	found, err := read(*key, old, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}

func printPaths() {
	tile := tlog.Tile{H: height}
	for {
		if _, err := fmt.Scanln(&tile.L, &tile.N, &tile.W); err != nil {
			return
		}
		fmt.Println(pathOf(tile))
	}
}

// read checks the log at url against key and the checkpoints in the files old.
func read(key string, old []string, url string) (*report, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	log := &remote{url: url, tiles: map[string][]byte{}}
	data, err := log.get("checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := openCheckpoint(data, verifier)
	if err != nil {
		return nil, err
	}
	found := &report{Size: tree.N, Root: tree.Hash.String()}
	hashes := tlog.TileHashReader(tree, log)
	if err := checkRoot(tree, hashes); err != nil {
		return nil, err
	}
	stored, err := checkEntries(tree, log, hashes, found)
	if err != nil {
		return nil, err
	}
	if err := checkFiles(tree, log, stored, found); err != nil {
		return nil, err
	}
	if err := checkRecords(tree, hashes, stored, found); err != nil {
		return nil, err
	}
	return found, checkOld(tree, old, verifier, hashes, found)
}

// openCheckpoint returns the tree that a checkpoint signed by verifier speaks of.
func openCheckpoint(data []byte, verifier note.Verifier) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tree, errors.New("this is not a checkpoint of the log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

func checkRoot(tree tlog.Tree, hashes tlog.HashReader) error {
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles lead to root %v, signed is %v", root, tree.Hash)
	}
	return nil
}
