# Sourced by ./holdfast, ./check and ./bench: the JDK, Maven and Node, and the build of what is run.
# Sets JAVA_HOME and DIST; HERE is the root of the checkout.
DIST="$HERE/target/dist/lib"

fail() { printf 'holdfast: %s\n' "$*" >&2; exit 1; }

java_version() { "$1/bin/java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p'; }

need_java() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* /opt/jdk*; do
    if [ -x "$home/bin/javac" ] && [ "$(java_version "$home")" -ge 25 ] 2>/dev/null; then
      export JAVA_HOME=$home
      return
    fi
  done
  fail "JDK 25 is needed and was not found (looked at JAVA_HOME and /usr/lib/jvm).
  Debian/Ubuntu with Adoptium's repository: apt-get install temurin-25-jdk    macOS: brew install openjdk@25
  Then run this again; or set JAVA_HOME."
}

install_debian() { # packages...: installs what is missing, as root; servers among them are not started
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    fail "missing: ${missing[*]}. As root: apt-get install ${missing[*]}"
  fi
  printf 'Installing %s\n' "${missing[*]}"
  local guard=/usr/sbin/policy-rc.d made=
  [ -e $guard ] || { printf '#!/bin/sh\nexit 101\n' >$guard; chmod +x $guard; made=1; }
  local log; log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
      >"$log" 2>&1 </dev/null; then
    [ -n "$made" ] && rm -f $guard
    tail -20 "$log" >&2
    fail "could not install ${missing[*]}"
  fi
  rm -f "$log"
  if [ -n "$made" ]; then rm -f $guard; fi
}

need_build_tools() {
  command -v mvn >/dev/null || install_debian maven
  if ! command -v node >/dev/null || ! node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>20||(a==20&&b>=19)?0:1)'; then
    fail "Node.js 20.19 or newer is needed for the console: https://nodejs.org/en/download (or your system's packages)"
  fi
}

# What the built jars depend on, as one digest.
sources_digest() {
  (cd "$HERE" && find pom.xml ./*/pom.xml ./*/src/main console -type f \
      -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/target/*' -print0 |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

is_built() { [ -f "$HERE/target/dist/built" ] && [ "$(cat "$HERE/target/dist/built")" = "$1" ]; }

build_if_needed() {
  local digest; digest=$(sources_digest)
  if is_built "$digest"; then return; fi
  # One build at a time, also when the first was interrupted and its Maven still runs.
  mkdir -p "$HERE/target/dist"
  exec 8>"$HERE/target/dist/lock"
  if ! flock -n 8; then printf 'Waiting for another build of this checkout ...\n' >&2; flock 8; fi
  if ! is_built "$digest"; then build "$digest"; fi
  exec 8>&- # or a server that is started next would hold it
}

# What is built; ./bench adds its own.
MODULES=protocol,control-plane,agent,gateway,simulator,cli

build() { # the digest of the sources
  local digest=$1
  need_build_tools
  printf 'Building Holdfast (once; a few minutes on a first run) ...\n' >&2
  local log="$HERE/target/build.log"; mkdir -p "$HERE/target/dist/lib"
  rm -f "$DIST"/*.jar
  printf '  the console\n' >&2
  if [ -x "$HERE/console/build.sh" ]; then
    "$HERE/console/build.sh" >"$log" 2>&1 || { tail -30 "$log" >&2; fail "the console did not build; see $log"; }
  fi
  if [[ $MODULES == *,benchmarks ]]; then rm -rf "$HERE/target/dist/bench"; fi
  # Each module is told as Maven comes to it; the first run also fetches what the build needs, which is most of the wait.
  (cd "$HERE" && mvn -B -ntp package -Dmaven.test.skip=true -Dstyle.color=never -pl "$MODULES" -am) 2>&1 | tee "$log" |
    sed -un 's/^\[INFO\] Building \(.*[^ ]\)  *[^ ][^ ]*  *\[\([0-9]*\)\/\([0-9]*\)\]$/  \2 of \3: \1/p' >&2 \
    || { grep -E 'ERROR|error:' "$log" | head -30 >&2; fail "the build failed; see $log"; }
  printf '  a first start, so that later ones are quick\n' >&2
  train
  printf '%s\n' "$digest" >"$HERE/target/dist/built"
  if [[ $MODULES == *,benchmarks ]]; then printf '%s\n' "$digest" >"$HERE/target/dist/bench/built"; fi
}

# How everything is run: the same flags in training and in use, or the cache does not fit.
JAVA_FLAGS=(-XX:+UseCompactObjectHeaders -XX:+UseSerialGC -XX:-UsePerfData
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow)

# The operator's command line runs for a moment: what the second compiler would gain, it never gets back.
CLI_FLAGS=("${JAVA_FLAGS[@]}" -XX:TieredStopAtLevel=1)

# The AOT cache that belongs to exactly these jars and this JDK: classes loaded and linked, so a start takes about
# half the processor time. It is only ever an optimisation: without it everything runs, slower to start.
aot_cache() { # holdfast for the server, cli for the command line
  local id
  id=$( (cat "$JAVA_HOME/release"; cd "$DIST" && stat -c '%n %s %Y' ./*.jar) | cksum | cut -d' ' -f1)
  printf '%s/target/dist/%s-%s.aot' "$HERE" "$1" "$id"
}

# Starts the server once, on a folder and ports of its own, asks it by the command line once, and stops it.
train() {
  local cache work pid listener
  cache=$(aot_cache holdfast)
  rm -f "$HERE"/target/dist/*.aot*
  work=$(mktemp -d) && chmod 711 "$work" || return 0
  (
    export HOLDFAST_ACCESS_FIRST_TOKEN=true
    for listener in OPERATOR DEVICE CHANNEL_BOUND MQTT PKI SYSLOG IPFIX; do
      export "HOLDFAST_LISTENERS_${listener}_HOST=127.0.0.1" "HOLDFAST_LISTENERS_${listener}_PORT=0"
    done
    "$JAVA_HOME/bin/java" "-XX:AOTCacheOutput=$cache.new" "${JAVA_FLAGS[@]}" \
      -Djava.util.logging.config.file="$HERE/scripts/logging.properties" -Dholdfast.home="$HERE" \
      -cp "$DIST/*" dev.holdfast.Main serve --data "$work/data" >"$work/log" 2>&1 &
    pid=$!
    for _ in $(seq 600); do
      grep -q 'Ctrl-C stops it' "$work/log" && break # the last line that it prints
      kill -0 $pid 2>/dev/null || break
      sleep 0.1
    done
    train_cli "$work"
    kill -TERM $pid 2>/dev/null
    wait $pid
  ) || true
  if [ -f "$cache.new" ]; then mv "$cache.new" "$cache"; else printf 'no AOT cache was made:\n%s\n' "$(tail -5 "$work/log")" >>"$HERE/target/build.log"; fi
  rm -rf "$work" "$cache.new"*
}

# The command line, once, against the server that is trained: signed in as people are, by its file.
train_cli() { # the server's folder, with its log
  local url cache
  url=$(sed -n 's/^console, API *//p' "$1/log")
  cache=$(aot_cache cli)
  unset HOLDFAST_CLI_URL HOLDFAST_CLI_TOKEN HOLDFAST_CLI_ENVIRONMENT
  export XDG_CONFIG_HOME="$1/config"
  "$JAVA_HOME/bin/java" "${CLI_FLAGS[@]}" -cp "$DIST/*" dev.holdfast.cli.Cli \
    login --url "$url" --token-file "$1/data/secrets/first-token" >"$1/cli-log" 2>&1 &&
    "$JAVA_HOME/bin/java" "-XX:AOTCacheOutput=$cache.new" "${CLI_FLAGS[@]}" -Dholdfast.home="$HERE" \
      -cp "$DIST/*" dev.holdfast.cli.Cli doctor >>"$1/cli-log" 2>&1
  if [ -f "$cache.new" ]; then mv "$cache.new" "$cache"; else printf 'no AOT cache of the command line was made:\n%s\n' "$(tail -5 "$1/cli-log")" >>"$HERE/target/build.log"; fi
}
