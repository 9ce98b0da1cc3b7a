#!/bin/sh
# Waits until a Job of the shop has ended: await-job.sh JOB. Exits with 1 if it failed, or at once with its reason if it can't start.
set -eu
job=$1
until=$(($(date +%s) + ${TIMEOUT:-300}))
while :; do
	ended=$(kubectl -n shop get job "$job" -o jsonpath='{range .status.conditions[?(@.status=="True")]}{.type} {end}')
	case $ended in
	*Complete*) exit 0 ;;
	*Failed*) exit 1 ;;
	esac
	waiting=$(kubectl -n shop get pod -l "job-name=$job" \
		-o jsonpath='{range .items[*].status.containerStatuses[*]}{.state.waiting.reason}: {.state.waiting.message}{"\n"}{end}')
	case $waiting in
	*ErrImagePull* | *ImagePullBackOff* | *InvalidImageName* | *ErrImageNeverPull* | *CreateContainerConfigError*)
		echo "Job $job can't start. $waiting" >&2
		exit 1
		;;
	esac
	if [ "$(date +%s)" -gt "$until" ]; then
		echo "Job $job has not ended in ${TIMEOUT:-300} s." >&2
		exit 1
	fi
	sleep 1
done
