#!/bin/sh
# Builds the console and puts it where the server finds it: the class path folder `console/`.
# Unchanged sources are not built again. `npm run check` looks at types and style; here they would only be waited for.
# Usage: console/build.sh [target folder]
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
target=${1:-"$here/../control-plane/target/classes/console"}
contract="$here/../control-plane/src/main/resources/openapi.yaml"

command -v node >/dev/null || { echo "console: Node.js 20.19 or newer is needed (https://nodejs.org, or apt-get install nodejs npm)" >&2; exit 1; }
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  { echo "console: Node.js 20.19 or newer is needed, this is $(node --version)" >&2; exit 1; }

cd "$here"
sources=$(find src public index.html package.json package-lock.json vite.config.ts tsconfig.json -type f | LC_ALL=C sort)
# The contract is part of the sources: the types of every call come from it.
stamp=$(cat $sources "$contract" | sha256sum | cut -d' ' -f1)

if [ ! -f dist/.stamp ] || [ "$(cat dist/.stamp)" != "$stamp" ] || [ ! -f target/schema.d.ts ]; then
  # npm writes this file when it has installed all of the lock file.
  if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --no-audit --no-fund --loglevel=error
  fi
  npm run --silent types >/dev/null
  npx vite build --logLevel warn
  echo "$stamp" >dist/.stamp
fi

if [ ! -f "$target/.stamp" ] || [ "$(cat "$target/.stamp")" != "$stamp" ]; then
  rm -rf "$target"
  mkdir -p "$target"
  cp -R dist/. "$target/"
fi
