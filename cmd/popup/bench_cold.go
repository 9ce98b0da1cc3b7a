package main

import "context"

type benchCold struct{}

func (benchCold) Run(context.Context) error { return nil }
