package servecatalogue

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/web"
)

// Tag is a word that products bear, and how many on sale do.
type Tag struct {
	Tag   string `json:"tag"`
	Count int64  `json:"count"`
}

// TagsRequest asks for a page of all tags.
type TagsRequest struct{ web.Paging }

// listTags is called by visitors. The most frequent tag comes first.
func listTags(ctx context.Context, db web.Reader, in *TagsRequest) ([]Tag, int64, error) {
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Tag], `
		FROM (
			SELECT c.tag, sum(c.products)::bigint AS count
			FROM catalogue.counts c
			JOIN catalogue.stores s USING (store_id)
			WHERE c.tag <> '' AND c.category_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' AND s.participating AND s.deleted_at IS NULL
			GROUP BY c.tag
			HAVING sum(c.products) > 0) t`,
		`SELECT tag, count`, `ORDER BY count DESC, tag LIMIT @limit OFFSET @offset`, pgx.NamedArgs{
			"limit": in.Limit, "offset": in.Offset(),
		})
}
