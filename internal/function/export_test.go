package function

// Waiting is how many turns of a function wait for the one that is under way.
func (rt *Runtime) Waiting(f *Function) (n int) {
	rt.queues.Range(func(_, found any) bool {
		q := found.(*queue)
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, t := range q.waiting {
			if t.f == f {
				n++
			}
		}
		return true
	})
	return n
}
