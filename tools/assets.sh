#!/bin/sh
# Fetches the scripts of others that the pages and their tests use, each in one version, from npm. They are kept in the repository.
set -eu
htmx=4.0.1
axe=4.14.1

cd "$(dirname "$0")/.."
pages=functions/serve-web/static/vendor
tests=tools/browser/vendor
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # name version
	(cd "$work" && npm pack --silent "$1@$2" >/dev/null && mkdir "$1" && tar xzf "$1-$2.tgz" -C "$1" --strip-components=1)
}

fetch htmx.org $htmx
mkdir -p $pages $tests
cp "$work/htmx.org/LICENSE" $pages/htmx.LICENSE
# Comments that lead to source maps are left out: the maps are not served.
for part in htmx ext/hx-sse ext/hx-preload ext/hx-pending ext/hx-upsert ext/hx-targets ext/hx-ptag; do
	sed '/^\/\/# sourceMappingURL=/d' "$work/htmx.org/dist/$part.min.js" >"$pages/$(basename $part).min.js"
done
fetch axe-core $axe
cp "$work/axe-core/axe.min.js" $tests/axe.min.js
cp "$work/axe-core/LICENSE" $tests/axe.LICENSE

for folder in $pages $tests; do
	{
		printf 'Made by `make assets`.\n\n| file | sha256 |\n| --- | --- |\n'
		(cd $folder && sha256sum -- *.js | awk '{print "| " $2 " | " $1 " |"}')
	} >$folder/README.md
done
sed -i "s/^Made by.*/htmx.org $htmx from npm, fetched by \`make assets\`./" $pages/README.md
sed -i "s/^Made by.*/axe-core $axe from npm, fetched by \`make assets\`./" $tests/README.md
