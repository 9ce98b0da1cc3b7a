package servecatalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Tag is a word that products bear, and how many on sale do.
type Tag struct {
	Tag   string `json:"tag"`
	Count int64  `json:"count"`
}

// TagsRequest asks for a page of all tags.
type TagsRequest struct{ web.Paging }

// TagRequest names a tag of a product.
type TagRequest struct {
	ID  string `path:"id" format:"uuid"`
	Tag string `path:"tag" maxLength:"200"`
}

// TagsAnswer is all tags of a product.
type TagsAnswer struct {
	Body struct {
		Tags []string `json:"tags" nullable:"false"`
	}
}

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
		`SELECT tag, count`, `ORDER BY count DESC, tag LIMIT @limit OFFSET @offset`, pgx.NamedArgs{"limit": in.Limit, "offset": in.Offset()})
}

// tag is called by staff, and by programs that keep the catalogue. A second time it changes nothing.
func tag(ctx context.Context, tx pgx.Tx, in *TagRequest) (*TagsAnswer, []events.Event, error) {
	var faults faults
	in.Tag = faults.tag("tag", in.Tag)
	if err := faults.problem(); err != nil {
		return nil, nil, err
	}
	said, tags, err := retag(ctx, tx, in, `
		UPDATE catalogue.products SET tags = tags || @tag::text
		WHERE product_id = @product_id AND NOT tags @> ARRAY[@tag::text]`)
	if err == nil && len(tags) > maxTags {
		err = problem.Invalid(problem.FieldError{Field: "tag", Message: "is one more than the 50 that a product may have"})
	}
	out := &TagsAnswer{}
	out.Body.Tags = tags
	return out, said, err
}

// untag is called by staff, and by programs that keep the catalogue.
func untag(ctx context.Context, tx pgx.Tx, in *TagRequest) (*struct{}, []events.Event, error) {
	said, _, err := retag(ctx, tx, in, `
		UPDATE catalogue.products SET tags = array_remove(tags, @tag::text)
		WHERE product_id = @product_id AND tags @> ARRAY[@tag::text]`)
	return &struct{}{}, said, err
}

// retag changes the tags of a product, and returns an event if they differ.
func retag(ctx context.Context, tx pgx.Tx, in *TagRequest, sql string) (said []events.Event, tags []string, err error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("product")
	}
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	e := events.ProductChanged{ProductID: in.ID, Change: events.ChangeUpdated}
	args := pgx.NamedArgs{"product_id": in.ID, "tag": in.Tag}
	err = tx.QueryRow(ctx, sql+` RETURNING store_id::text, version, tags`, args).Scan(&e.StoreID, &e.Version, &tags)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, `SELECT tags FROM catalogue.products WHERE product_id = @product_id`, args).Scan(&tags)
	} else {
		said = []events.Event{e}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("tag product %s: %w", in.ID, err)
	}
	return said, tags, nil
}
