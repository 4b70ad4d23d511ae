package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// remote is a log behind HTTP, as tlog.TileReader wants it. It keeps every tile in memory.
type remote struct {
	url   string
	tiles map[string][]byte
}

var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get fetches one resource; anything but status 200 is an error, also a redirect.
func (log *remote) get(path string) ([]byte, error) {
	answer, err := client.Get(log.url + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// pathOf maps the checksum database's path of a tile (tile/8/L/N) to that of tlog-tiles
// (tile/L/N, and tile/entries/N for the entries). Nothing else differs.
func pathOf(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}

func (log *remote) Height() int { return height }

func (log *remote) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := pathOf(tile)
		if _, kept := log.tiles[path]; !kept {
			data, err := log.get(path)
			if err != nil {
				return nil, err
			}
			log.tiles[path] = data
		}
		all[i] = log.tiles[path]
	}
	return all, nil
}

// SaveTiles has nothing to do: tiles are kept as they are read.
func (log *remote) SaveTiles([]tlog.Tile, [][]byte) {}

// entries fetches a bundle and takes it apart.
func (log *remote) entries(bundle tlog.Tile) ([][]byte, error) {
	path := pathOf(bundle)
	data, err := log.get(path)
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) >= 2 {
		size := int(binary.BigEndian.Uint16(data))
		if data = data[2:]; size > len(data) {
			return nil, fmt.Errorf("%s: cut off", path)
		}
		entries, data = append(entries, data[:size]), data[size:]
	}
	if len(data) > 0 || len(entries) != bundle.W {
		return nil, fmt.Errorf("%s: not %d entries", path, bundle.W)
	}
	return entries, nil
}
