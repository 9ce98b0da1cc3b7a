// Command send-email writes and sends mails.
package main

import (
	sendemail "github.com/popup-shop/popup/functions/send-email"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(sendemail.New) }
