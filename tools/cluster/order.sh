#!/bin/sh
# Places one order at ADDRESS (with HOST as its host name, if set) and follows it until it is completed.
set -eu
address=${ADDRESS:-http://localhost:8080}
host=${HOST:-}
call() { curl --silent --show-error --fail-with-body --max-time 60 ${host:+--header "Host: $host"} --header 'Content-Type: application/json' "$@"; }

text() { grep -o "\"$1\":\"[^\"]*\"" | head -1 | cut -d'"' -f4; }

began=$(date +%s%N)
since() { echo "$((($(date +%s%N) - began) / 1000000)) ms"; }
key=$(cat /proc/sys/kernel/random/uuid)
placed=$(call --header "Idempotency-Key: $key" "$address/v1/orders" --data @- <<JSON
{"lines": [{"sku": "MUG-ENAMEL", "quantity": 1}], "payment_method": "simulated",
 "address": {"name": "Ada", "phone": "+49 40 123456", "country": "DE", "postal_code": "20457", "city": "Hamburg", "address_line1": "Kai 1"},
 "contact": {"name": "Ada", "email": "ada@example.com", "phone": "+49 40 123456"}}
JSON
)
id=$(echo "$placed" | text id)
token=$(echo "$placed" | text order_token)
echo "accepted after $(since): order $id"
last=
while [ "$last" != completed ]; do
	status=$(call --header "Popup-Order-Token: $token" "$address/v1/orders/$id" | text status)
	[ "$status" = "$last" ] || echo "$status after $(since)"
	last=$status
	case $status in rejected | cancelled | expired) exit 1 ;; esac
	sleep 1
done
