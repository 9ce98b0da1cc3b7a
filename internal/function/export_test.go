package function

import "github.com/popup-shop/popup/internal/pgbatch"

// Waiting returns how many events of a function wait for the batch that runs.
func (rt *Runtime) Waiting(f *Function) (n int) {
	rt.batchers.Range(func(key, b any) bool {
		if key.(batcherKey).f == f {
			n += b.(*pgbatch.Batcher[*delivery]).Waiting()
		}
		return true
	})
	return n
}

// BoundTo is Bound with other limits.
var BoundTo = boundTo

// IsPublic reports whether connections of an address are counted.
var IsPublic = isPublic
