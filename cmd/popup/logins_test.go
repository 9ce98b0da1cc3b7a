package main_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// memoryLimit is that of a function's manifest, and goMemoryLimit the one that its environment gives the Go runtime.
const (
	memoryLimit   = 128 << 20
	goMemoryLimit = "GOMEMLIMIT=104MiB"
)

// logins logs in n times at once, each time with another account, and counts the statuses.
func (p *program) logins(n int) map[int]int {
	p.t.Helper()
	statuses := map[int]int{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			body := fmt.Sprintf(`{"email":"visitor-%d@example.com","password":"not the right one"}`, i)
			status := 0
			response, err := client.Post(p.url+"/v1/users/login", "application/json", strings.NewReader(body))
			if err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				status = response.StatusCode
				if status == http.StatusTooManyRequests && response.Header.Get("Retry-After") == "" {
					status = -status
				}
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[status]++
		})
	}
	all.Wait()
	return statuses
}

// status is that of a response to a GET.
func (p *program) status(path string) int {
	p.t.Helper()
	response, err := http.Get(p.url + path)
	require.NoError(p.t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

// Many logins at once are answered or refused with 429, and no other route of accounts is closed by them; the program
// that checks passwords stays below the memory limit of its manifest.
func TestManyLoginsAtOnceCloseNothing(t *testing.T) {
	for _, how := range []string{"one process", "processes"} {
		t.Run(how, func(t *testing.T) {
			p := newProgram(t)
			p.env = []string{goMemoryLimit}
			if how == "processes" {
				p.flags = append(p.flags, "--processes", "--bin", p.bin)
			}
			p.start()
			require.Equal(t, http.StatusUnauthorized, p.status("/v1/users/me"))
			p.logins(1)
			before := p.pid("serve-accounts")
			if how == "processes" && !limitMemory(t, before) {
				t.Log("without a memory cgroup: only measured")
			}
			for _, n := range []int{20, 80, 200} {
				statuses := p.logins(n)
				t.Log(n, statuses)
				require.Positive(t, statuses[http.StatusUnauthorized], "some are answered: %v", statuses)
				delete(statuses, http.StatusUnauthorized)
				delete(statuses, http.StatusTooManyRequests)
				require.Empty(t, statuses)
				require.Equal(t, http.StatusUnauthorized, p.status("/v1/users/me"))
			}
			if how == "processes" {
				after := p.pid("serve-accounts")
				require.Equal(t, before, after, "it was not killed")
				peak := peakMemory(t, after)
				t.Logf("serve-accounts took %d MiB at most", peak>>20)
				require.Less(t, peak, memoryLimit)
			}
		})
	}
}

// OPS-56: a page of another site can't read mails by a name of its own that resolves to this machine.
func TestAForeignHostReadsNoMails(t *testing.T) {
	for _, how := range []string{"one process", "processes"} {
		t.Run(how, func(t *testing.T) {
			p := newProgram(t)
			if how == "processes" {
				p.flags = append(p.flags, "--processes", "--bin", p.bin)
			}
			p.start()
			for host, want := range map[string]int{"": http.StatusOK, "localhost": http.StatusOK, "evil.example": http.StatusForbidden} {
				request, err := http.NewRequest(http.MethodGet, p.url+"/mailbox.json", nil)
				require.NoError(t, err)
				request.Host = host
				response, err := http.DefaultClient.Do(request)
				require.NoError(t, err)
				_ = response.Body.Close()
				require.Equal(t, want, response.StatusCode, host)
			}
		})
	}
}

// Visitors behind a proxy that is trusted have a rate limit each.
func TestVisitorsBehindAProxyAreCountedEach(t *testing.T) {
	for _, how := range []string{"one process", "processes"} {
		t.Run(how, func(t *testing.T) {
			p := newProgram(t)
			p.env = []string{"TRUSTED_HOPS=1", "RATE_LIMIT=5"}
			if how == "processes" {
				p.flags = append(p.flags, "--processes", "--bin", p.bin)
			}
			p.start()
			limited := map[string]bool{}
			for range 20 {
				limited["many calls"] = limited["many calls"] || p.from("203.0.113.7") == http.StatusTooManyRequests
			}
			limited["one call"] = p.from("203.0.113.8") == http.StatusTooManyRequests
			require.Equal(t, map[string]bool{"many calls": true, "one call": false}, limited)
		})
	}
}

// from calls as a proxy does for a visitor at an address.
func (p *program) from(address string) (status int) {
	p.t.Helper()
	request, err := http.NewRequest(http.MethodGet, p.url+"/v1/keys", nil)
	require.NoError(p.t, err)
	request.Header.Set("X-Forwarded-For", "6.6.6.6, "+address)
	response, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	_ = response.Body.Close()
	return response.StatusCode
}

// pid is the process of a function's program, 0 when there is none.
func (p *program) pid(name string) int {
	p.t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(p.t, err)
	pids := map[int]bool{}
	for _, link := range found {
		if exe, err := os.Readlink(link); err == nil && exe == filepath.Join(p.bin, name) {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			require.NoError(p.t, err)
			pids[pid] = true
		}
	}
	for pid := range maps.Keys(pids) {
		return pid
	}
	return 0
}

// limitMemory puts a process under the memory limit of its manifest, and reports whether this machine lets us.
func limitMemory(t *testing.T, pid int) (ok bool) {
	t.Helper()
	const cgroup, file = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	dir := filepath.Join(cgroup, fmt.Sprintf("popup-test-%d", pid))
	if _, err := os.Stat(filepath.Join(cgroup, file)); err != nil || os.Mkdir(dir, 0o755) != nil {
		return false
	}
	t.Cleanup(func() {
		// where it was, if it still runs
		_ = os.WriteFile(filepath.Join(cgroup, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
		_ = os.Remove(dir)
	})
	require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(memoryLimit)), 0))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0))
	return true
}

// peakMemory is how much memory of its own a process had at most, in bytes.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range bytes.Lines(status) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(string(rest)), " kB"))
			require.NoError(t, err)
			return kib << 10
		}
	}
	require.Fail(t, "no VmHWM")
	return 0
}
