package web_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/web"
)

func TestATagMatchesOneOfThoseThatTheCallerHas(t *testing.T) {
	t.Parallel()
	tag := web.ETag([]byte("content"))
	require.Regexp(t, `^"[\w-]{16}"$`, tag)
	for header, want := range map[string]bool{
		"": false, tag: true, "W/" + tag: true, `"other"`: false, `"other", ` + tag: true, "*": true, tag[1:]: false, web.ETag([]byte("Content")): false,
	} {
		require.Equal(t, want, web.ETagMatches(header, tag), "If-None-Match: %s", header)
	}
}

func TestOnlyPublicRoutesCanBeCached(t *testing.T) {
	t.Parallel()
	read := func(a access.Access) web.Route {
		return web.Get("/v1/things/{id}", a, func(context.Context, web.Reader, *readRequest) (*answer, error) { return &answer{}, nil })
	}
	require.Equal(t, 60, web.Cached(time.Minute, read(access.All)).CacheFor)
	require.Panics(t, func() { web.Cached(time.Minute, read(access.Staff)) })
}
