package editcatalogue

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// imagesAtMost is how many pictures a product has at most.
const imagesAtMost = 20

// ImageRequest is a picture of a product: PNG, JPEG or WebP, at most 1 MiB.
type ImageRequest struct {
	ID      string `path:"id" format:"uuid"`
	RawBody []byte `contentType:"image/*"`
}

// ImageName names a picture of a product.
type ImageName struct {
	ID   string `path:"id" format:"uuid"`
	Name string `path:"name" maxLength:"100" doc:"the last part of its address"`
}

// ImagesAnswer is the addresses of all pictures of a product.
type ImagesAnswer struct {
	Body struct {
		ImageURLs []string `json:"image_urls" nullable:"false"`
	}
}

// addImage is called by staff, and by programs that keep the catalogue. What a picture is, is decided by its content;
// the same one twice is one.
func (h handler) addImage() web.StagedCall[ImageRequest, string, ImagesAnswer] {
	return web.StagedCall[ImageRequest, string, ImagesAnswer]{
		Status: http.StatusCreated, Prepare: nameImage, Work: h.keepImage, Do: h.showImage,
	}
}

func nameImage(ctx context.Context, tx pgx.Tx, in *ImageRequest) (*string, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("product")
	}
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, err
	}
	name, ok := picture.Name(in.RawBody)
	if !ok {
		return nil, problem.Invalid(problem.FieldError{
			Field: "body", Message: "is no picture: PNG, JPEG and WebP are, by their content",
		})
	}
	return &name, nil
}

func (h handler) keepImage(ctx context.Context, in *ImageRequest, name *string) error {
	if err := h.pictures.Put(ctx, *name, in.RawBody); err != nil {
		away := problem.New(http.StatusServiceUnavailable, "dependency-down", "the store of pictures does not answer")
		return errors.Join(away, err)
	}
	return nil
}

func (h handler) showImage(
	ctx context.Context, tx pgx.Tx, in *ImageRequest, name *string,
) (*ImagesAnswer, []events.Event, error) {
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	emitted, images, err := changeImages(ctx, tx, in.ID, *name, `
		UPDATE catalogue.products SET images = images || @name::text
		WHERE product_id = @product_id AND NOT images @> ARRAY[@name::text]`)
	if err == nil && len(images) > imagesAtMost {
		err = problem.New(http.StatusConflict, "not-possible-now", "a product has at most 20 pictures")
	}
	out := &ImagesAnswer{}
	out.Body.ImageURLs = catalogue.ImageURLs(h.pictures.BaseURL(), images)
	return out, emitted, err
}

// removeImage is called by staff, and by programs that keep the catalogue. The store keeps the picture: others may show
// it.
func removeImage(ctx context.Context, tx pgx.Tx, in *ImageName) (*struct{}, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("product")
	}
	if _, err := lockProduct(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	emitted, _, err := changeImages(ctx, tx, in.ID, in.Name, `
		UPDATE catalogue.products SET images = array_remove(images, @name::text)
		WHERE product_id = @product_id AND images @> ARRAY[@name::text]`)
	if err == nil && emitted == nil {
		return nil, nil, problem.NotFound("picture of this product")
	}
	return &struct{}{}, emitted, err
}

// changeImages changes the pictures of a product, and returns an event if they differ.
func changeImages(
	ctx context.Context, tx pgx.Tx, productID, name, sql string,
) (emitted []events.Event, images []string, err error) {
	e := events.ProductChanged{ProductID: productID, Change: events.ChangeUpdated}
	args := pgx.NamedArgs{"product_id": productID, "name": name}
	err = tx.QueryRow(ctx, sql+` RETURNING store_id::text, version, images`, args).Scan(&e.StoreID, &e.Version, &images)
	if errors.Is(err, pgx.ErrNoRows) {
		err = tx.QueryRow(ctx, `SELECT images FROM catalogue.products WHERE product_id = @product_id`, args).Scan(&images)
	} else {
		emitted = []events.Event{e}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("change pictures of product %s: %w", productID, err)
	}
	return emitted, images, nil
}
