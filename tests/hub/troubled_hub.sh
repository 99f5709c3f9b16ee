#!/bin/bash
# Runs inside the virtual hub (troubled_hub.test.sh): a fresh hub is installed as README.md says, and then
# everything goes wrong that can. Each chapter is a story_*.sh. Prints TAP.
# shellcheck source=/dev/null
# shellcheck disable=SC2034,SC2154 # of the chapters
set -uo pipefail

for part in story story_readme story_idle story_errors story_config story_disk story_oracles; do
	. "/test/$part.sh"
done

log "kernel $(uname -r), $(cut -d. -f1 /proc/uptime) s after its start"
number=0
vivid_attach
run_chapters readme_chapter idle_chapter errors_chapter config_chapter disk_chapter oracles_chapter
conclude
