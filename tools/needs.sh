#!/bin/sh
# Installs what the shop and its tests need on a machine and Go cannot bring: Postgres 15, PostGIS, Node and npm, Prometheus, pgbouncer,
# Chromium with a Japanese font.
# Says what to install where it may not.
set -eu

have() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
have_maps() { ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1; }
have_node() { command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; }
have_prometheus() { command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; }
have_pgbouncer() { [ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1; }
have_kanji() { [ -d /usr/share/fonts/opentype/noto ] || [ -d /usr/share/fonts/opentype/ipaexfont-gothic ]; }

packages=
have || packages="postgresql-15 postgresql-contrib"
have_maps || packages="$packages postgresql-15-postgis-3"
have_node || packages="$packages nodejs npm"
have_prometheus || packages="$packages prometheus"
have_pgbouncer || packages="$packages pgbouncer"
have_chromium || packages="$packages chromium"
have_kanji || packages="$packages fonts-noto-cjk"
[ -z "$packages" ] && exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root=sudo
else
	as_root=none
fi
if [ "$as_root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
	have || { echo "Please install Postgres 15 (Debian: apt-get install $packages), then try again." >&2; exit 1; }
	exit 0 # maps are only missed where they are asked for, the others by a few tests
fi

# The Debian package would start a server of its own; the shop has its own, so none is made.
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
	$as_root mkdir -p /etc/postgresql-common
	echo "create_main_cluster = false" | $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
# Nor a Prometheus or a pgbouncer: not now, and not when the machine starts again.
have_pgbouncer || {
	$as_root mkdir -p /etc/systemd/system
	$as_root ln -sf /dev/null /etc/systemd/system/pgbouncer.service
}
have_prometheus || {
	$as_root mkdir -p /etc/systemd/system
	$as_root ln -sf /dev/null /etc/systemd/system/prometheus.service
}
[ -e /usr/sbin/policy-rc.d ] || {
	printf '#!/bin/sh\nexit 101\n' | $as_root tee /usr/sbin/policy-rc.d >/dev/null
	$as_root chmod 755 /usr/sbin/policy-rc.d
	trap '$as_root rm -f /usr/sbin/policy-rc.d' EXIT
}
echo "installing $packages"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null || {
	have || exit 1
	echo "Not all of $packages could be installed; the shop runs without PostGIS, Node, Prometheus, pgbouncer and Chromium." >&2
}
