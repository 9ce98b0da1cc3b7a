package main

type traceCommand struct{}
