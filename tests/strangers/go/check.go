package main

import (
	"bytes"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// allProven is the size up to which every entry's proof is made; above it, every 97th and the last.
const allProven = 600

// storage holds every hash of a tree, in the order of tlog.StoredHashIndex.
type storage []tlog.Hash

func (stored storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		hashes[i] = stored[index]
	}
	return hashes, nil
}

// checkEntries reads every entry, finds its hash in the signed tree, and returns the tree that
// the entries alone make.
func checkEntries(tree tlog.Tree, log *remote, hashes tlog.HashReader, found *report) (storage, error) {
	var stored storage
	for first := int64(0); first < tree.N; first += width {
		bundle := tlog.Tile{H: height, L: -1, N: first / width, W: int(min(width, tree.N-first))}
		entries, err := log.entries(bundle)
		if err != nil {
			return nil, err
		}
		indexes := make([]int64, len(entries))
		for i := range entries {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		signed, err := hashes.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != signed[i] {
				return nil, fmt.Errorf("entry %d is not the one in the tree", found.Entries)
			}
			added, err := tlog.StoredHashes(found.Entries, entry, stored)
			if err != nil {
				return nil, err
			}
			stored = append(stored, added...)
			found.Entries++
		}
	}
	return stored, checkRoot(tree, stored)
}

// checkFiles derives every tile from the entries and compares it, byte by byte, with what is
// served; it counts the bundles too, which have been read.
func checkFiles(tree tlog.Tree, log *remote, stored storage, found *report) error {
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		derived, err := tlog.ReadTileData(tile, stored)
		if err != nil {
			return err
		}
		served, err := log.get(pathOf(tile))
		if err != nil {
			return err
		}
		if !bytes.Equal(derived, served) {
			return fmt.Errorf("%s is not what the entries make", pathOf(tile))
		}
		if found.Files++; tile.L == 0 {
			found.Files++
		}
	}
	return nil
}

// checkRecords proves from the served tiles that entries are in the tree, and checks the proofs
// against the hashes of the entries themselves.
func checkRecords(tree tlog.Tree, hashes tlog.HashReader, stored storage, found *report) error {
	step := int64(1)
	if tree.N > allProven {
		step = 97
	}
	for n := tree.N - 1; n >= 0; n -= step {
		proof, err := tlog.ProveRecord(tree.N, n, hashes)
		if err != nil {
			return err
		}
		leaf := stored[tlog.StoredHashIndex(0, n)]
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		found.Proofs++
	}
	return nil
}

// checkOld proves that the tree continues those of the checkpoints in the files.
func checkOld(
	tree tlog.Tree, files []string, verifier note.Verifier, hashes tlog.HashReader, found *report,
) error {
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		old, err := openCheckpoint(data, verifier)
		if err != nil {
			return err
		}
		if old.N == 0 {
			err = checkRoot(old, hashes) // there is nothing to continue
		} else {
			err = checkContinues(tree, old, hashes)
		}
		if err != nil {
			return fmt.Errorf("size %d: %w", old.N, err)
		}
		found.Trees++
	}
	return nil
}

func checkContinues(tree, old tlog.Tree, hashes tlog.HashReader) error {
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}
