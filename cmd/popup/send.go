package main

type sendCommand struct{}
