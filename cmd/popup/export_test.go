package main

import "github.com/alecthomas/kong"

// Commands returns the words of every command that runs something, such as product list.
func Commands() (all []string, err error) {
	parser, err := kong.New(&commands{}, kong.Name("popup"), vars(), kong.Vars{"version": ""})
	if err != nil {
		return nil, err
	}
	for _, leaf := range parser.Model.Leaves(false) {
		all = append(all, leaf.FullPath()[len("popup "):])
	}
	return all, nil
}
