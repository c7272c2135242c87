#!/bin/bash
# Opens the console in Chromium: first with the made-up city (every page, every state), then served by the real server,
# where the first operator comes in by passkey (a virtual authenticator) and every page is opened again.
# Prints one line "N passed, N failed" over both; fails when anything failed.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$HERE" || exit 1
WORK=$(mktemp -d)
chmod 711 "$WORK" # the embedded database may run as another user
SERVER=
finish() {
  if [ -n "$SERVER" ]; then kill -TERM "$SERVER" 2>/dev/null; wait "$SERVER" 2>/dev/null; fi
  rm -rf "$WORK"
}
trap finish EXIT

passed=0 failed=0
tally() { # log: adds what its last line says; a run that did not come to its end is a failure
  local line; line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -1)
  if [ -z "$line" ]; then failed=$((failed + 1)); return; fi
  passed=$((passed + $(cut -d' ' -f1 <<<"$line"))) failed=$((failed + $(cut -d' ' -f3 <<<"$line")))
}

[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error || exit 1

echo "The made-up city:"
npm run --silent e2e 2>&1 | tee "$WORK/mock.log" | grep -v '^npm warn'
tally "$WORK/mock.log"

echo "The real server:"
"$HERE/../holdfast" serve --config "$HERE/e2e/server.yaml" --data "$WORK/data" >"$WORK/server.log" 2>&1 &
SERVER=$!
for _ in $(seq 1 600); do
  link=$(grep -oE 'https?://[^ ]+/welcome#[A-Za-z0-9_-]+' "$WORK/server.log" | head -1)
  [ -n "$link" ] && break
  kill -0 "$SERVER" 2>/dev/null || break
  sleep 0.2
done
if [ -z "${link:-}" ]; then
  echo "FAILED  the server gave no one-time link:"; tail -20 "$WORK/server.log"
  failed=$((failed + 1))
else
  HOLDFAST_CONSOLE_URL=${link%%/welcome*} HOLDFAST_CONSOLE_LINK=$link npx tsx e2e/run.ts 2>&1 | tee "$WORK/real.log" | grep -v '^npm warn'
  tally "$WORK/real.log"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
