package editcatalogue

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
)

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

// tag is called by staff, and by programs that keep the catalogue. A second time it changes nothing.
func tag(ctx context.Context, tx pgx.Tx, in *TagRequest) (*TagsAnswer, []events.Event, error) {
	var faults faults
	in.Tag = faults.tag("tag", in.Tag)
	if err := faults.problem(); err != nil {
		return nil, nil, err
	}
	emitted, tags, err := retag(ctx, tx, in, `
		UPDATE catalogue.products SET tags = tags || @tag::text
		WHERE product_id = @product_id AND NOT tags @> ARRAY[@tag::text]`)
	if err == nil && len(tags) > maxTags {
		err = problem.Invalid(problem.FieldError{Field: "tag", Message: "is one more than the 50 that a product may have"})
	}
	out := &TagsAnswer{}
	out.Body.Tags = tags
	return out, emitted, err
}

// untag is called by staff, and by programs that keep the catalogue.
func untag(ctx context.Context, tx pgx.Tx, in *TagRequest) (*struct{}, []events.Event, error) {
	emitted, _, err := retag(ctx, tx, in, `
		UPDATE catalogue.products SET tags = array_remove(tags, @tag::text)
		WHERE product_id = @product_id AND tags @> ARRAY[@tag::text]`)
	return &struct{}{}, emitted, err
}

// retag changes the tags of a product, and returns an event if they differ.
func retag(
	ctx context.Context, tx pgx.Tx, in *TagRequest, sql string,
) (emitted []events.Event, tags []string, err error) {
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
		emitted = []events.Event{e}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("tag product %s: %w", in.ID, err)
	}
	return emitted, tags, nil
}
