package eventstore

// logColumns are those of a LogEntry of an event e.
const logColumns = `
	SELECT e.xid::text, e.event_id::text, e.type, e.source, e.subject, coalesce(e.order_id::text, ''), e.causation_id::text, e.n,
		e.version, e.delayed, e.traceparent, e.created_at, e.data::text,
		(SELECT coalesce(json_agg(json_build_object('function', c.consumer, 'at', i.claimed_at,
			'state', CASE WHEN d.reason IS NOT NULL THEN 'dead_letter' WHEN i.claimed_at IS NOT NULL THEN 'handled' ELSE 'waiting' END,
			'attempts', coalesce(d.attempts, u.attempts, 0), 'reason', coalesce(d.reason, '')) ORDER BY i.claimed_at, c.consumer), '[]')
		FROM (
			SELECT s.consumer FROM bus.subscription s WHERE s.type = e.type AND s.since <= e.created_at
			UNION
			SELECT i.consumer FROM bus.inbox i WHERE i.event_id = e.event_id) c
		LEFT JOIN bus.inbox i ON i.event_id = e.event_id AND i.consumer = c.consumer
		LEFT JOIN bus.undelivered u ON u.event_id = e.event_id AND u.consumer = c.consumer
		LEFT JOIN bus.dead_letters d ON d.event_id = e.event_id::text AND d.consumer = c.consumer AND d.resolved_at IS NULL)`

// logFilter are the conditions of a LogQuery on an event e.
const logFilter = `
	(@types::text[] IS NULL OR e.type = ANY (@types)) AND @source IN ('', e.source)
	AND (@consumer = '' OR EXISTS (
		SELECT FROM bus.subscription s WHERE s.type = e.type AND s.consumer = @consumer AND s.since <= e.created_at))`

// logForward reads along the index of positions, and passes over a limited number of events.
const logForward = logColumns + `
	FROM (
		SELECT e.*
		FROM bus.event e
		WHERE e.xid >= @xid::text::xid8 AND e.xid < @end::text::xid8
		AND (e.xid, e.n, e.event_id) > (@xid::text::xid8, @n::smallint, @id::uuid)
		ORDER BY e.xid, e.n, e.event_id
		LIMIT @looks
	) e
	WHERE ` + logFilter + `
	ORDER BY e.xid, e.n, e.event_id
	LIMIT @limit`

// logBackward is logForward from the newest event on.
const logBackward = logColumns + `
	FROM (
		SELECT e.*
		FROM bus.event e
		WHERE e.xid <= @xid::text::xid8 AND e.xid < @end::text::xid8
		AND (e.xid, e.n, e.event_id) < (@xid::text::xid8, @n::smallint, @id::uuid)
		ORDER BY e.xid DESC, e.n DESC, e.event_id DESC
		LIMIT @looks
	) e
	WHERE ` + logFilter + `
	ORDER BY e.xid DESC, e.n DESC, e.event_id DESC
	LIMIT @limit`

// orderForward reads all events of an order, which are few, and sorts them.
const orderForward = logColumns + `
	FROM bus.event e
	WHERE e.order_id = nullif(@order_id, '')::uuid AND e.xid < @end::text::xid8
	AND (e.xid, e.n, e.event_id) > (@xid::text::xid8, @n::smallint, @id::uuid) AND ` + logFilter + `
	ORDER BY e.xid, e.n, e.event_id
	LIMIT @limit`

// orderBackward is orderForward from the newest event on.
const orderBackward = logColumns + `
	FROM bus.event e
	WHERE e.order_id = nullif(@order_id, '')::uuid AND e.xid < @end::text::xid8
	AND (e.xid, e.n, e.event_id) < (@xid::text::xid8, @n::smallint, @id::uuid) AND ` + logFilter + `
	ORDER BY e.xid DESC, e.n DESC, e.event_id DESC
	LIMIT @limit`

// wholeOrder reads all events of an order, also those of transactions that began after one that has not ended.
const wholeOrder = logColumns + `
	FROM bus.event e
	WHERE e.order_id = @order_id
	ORDER BY e.xid, e.n, e.event_id`

// windowForward counts the events that logForward looks at, and finds the last of them.
const windowForward = `
	SELECT count(*) OVER (), w.xid::text, w.n, w.event_id::text
	FROM (
		SELECT e.xid, e.n, e.event_id
		FROM bus.event e
		WHERE e.xid >= @xid::text::xid8 AND e.xid < @end::text::xid8
		AND (e.xid, e.n, e.event_id) > (@xid::text::xid8, @n::smallint, @id::uuid)
		ORDER BY e.xid, e.n, e.event_id
		LIMIT @looks
	) w
	ORDER BY w.xid DESC, w.n DESC, w.event_id DESC
	LIMIT 1`

// windowBackward counts the events that logBackward looks at, and finds the last of them.
const windowBackward = `
	SELECT count(*) OVER (), w.xid::text, w.n, w.event_id::text
	FROM (
		SELECT e.xid, e.n, e.event_id
		FROM bus.event e
		WHERE e.xid <= @xid::text::xid8 AND e.xid < @end::text::xid8
		AND (e.xid, e.n, e.event_id) < (@xid::text::xid8, @n::smallint, @id::uuid)
		ORDER BY e.xid DESC, e.n DESC, e.event_id DESC
		LIMIT @looks
	) w
	ORDER BY w.xid, w.n, w.event_id
	LIMIT 1`
