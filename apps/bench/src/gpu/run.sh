#!/bin/sh
# Runs the conformance suite and the benches on this machine's GPU. Needs no network and installs nothing: a Linux with
# a Vulkan driver is enough. What it finds: conformance.log, and lines.jsonl for `pnpm bench --report --from`.
#
#   sh run.sh [folder for what it finds; default: beside this file]
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
export REBATCH_DAWN="$here/dawn"
export LD_LIBRARY_PATH="$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# Containers often have NVIDIA's driver, but not the file that tells Vulkan of it.
if [ -z "$VK_ICD_FILENAMES$VK_DRIVER_FILES" ] && ! ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1; then
  for file in /usr/local/nvidia/share/vulkan/icd.d/*.json; do
    if [ -e "$file" ]; then export VK_DRIVER_FILES="$file" VK_ICD_FILENAMES="$file"; fi
  done
  if [ -z "$VK_DRIVER_FILES" ]; then
    for library in libEGL_nvidia.so.0 libGLX_nvidia.so.0; do
      if ldconfig -p 2>/dev/null | grep -q "$library"; then
        printf '{"file_format_version":"1.0.0","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' "$library" >"$here/nvidia.json"
        export VK_DRIVER_FILES="$here/nvidia.json" VK_ICD_FILENAMES="$here/nvidia.json"
        break
      fi
    done
  fi
fi

mkdir -p "$out"
status=0
"$here/node" "$here/run-suites.mjs" >"$out/conformance.log" 2>&1 || status=1
grep FAILED "$out/conformance.log" | head -n 50
tail -n 1 "$out/conformance.log"
"$here/node" "$here/run-benches.mjs" >"$out/lines.jsonl" || status=1
exit $status
