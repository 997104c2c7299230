#!/usr/bin/env bash
# Looks at the page of `lora2 serve` in headless Chromium: labels, tokens and neighbours, in light and dark, and that nothing is loaded from elsewhere. Pictures go into a folder.
# usage: bench/page.sh [PICTURES]     needs a built command, node with npm, and Chromium (Debian's package chromium, or CHROMIUM=/path)
set -eu -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
lora2="$PWD/src/LoRA2.Native.Cli/bin/Release/net10.0/lora2.dll" script="$PWD/bench/page" pictures=$(realpath -m "${1:-page-pictures}")
work=$(mktemp -d) server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$pictures"
cp "$script"/* "$work"
cd "$work"
npm install --silent --no-fund --no-audit
echo secret >key
dotnet "$lora2" finetune --max-steps 60 --output adapter >finetune.log
dotnet "$lora2" serve --model quick-start --adapter tickets=adapter --api-key-file key --urls http://127.0.0.1:0 >served 2>log &
server=$!
for _ in $(seq 200); do grep -q http served && break; sleep 0.1; done
timeout 120 node page.mjs "$(grep -o 'http://[0-9.:]*' served)" "$pictures" secret
