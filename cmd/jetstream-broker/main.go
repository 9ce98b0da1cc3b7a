// Command jetstream-broker is the Broker of class JetStream for Knative.
package main

import "github.com/popup-shop/popup/internal/jetstreambroker"

func main() { jetstreambroker.Main() }
