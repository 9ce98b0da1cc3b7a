#!/bin/sh
# Writes a token that may read metrics to the file $1, now and every 50 minutes; a token is good for an hour.
# It needs SHOP_URL, CLIENT_ID and CLIENT_SECRET, of a machine client with the scope metrics.
set -eu
while :; do
	body="{\"client_id\": \"$CLIENT_ID\", \"client_secret\": \"$CLIENT_SECRET\"}"
	answer=$(printf %s "$body" | curl -fsS --retry 5 --retry-all-errors -H 'Content-Type: application/json' --data-binary @- "$SHOP_URL/v1/tokens")
	token=$(printf %s "$answer" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')
	[ -n "$token" ] || { echo "No token in the response of $SHOP_URL/v1/tokens." >&2; exit 1; }
	(umask 077 && printf %s "$token" >"$1.new" && mv "$1.new" "$1")
	[ "${ONCE:-}" ] && exit 0
	sleep 3000
done
