-- written by: serve-delivery (delivery.shipments, delivery.tracking)
-- What everybody with a tracking number may see of a shipment.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION delivery.track(number text) RETURNS TABLE (tracking_number text, carrier text, status text, delivered_at timestamptz, tracking json)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT s.tracking_number, s.carrier, s.status, s.delivered_at, (
        SELECT json_agg(json_build_object('status', t.status, 'location', t.location, 'description', t.description, 'at', t.at) ORDER BY t.n)
        FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id)
    FROM delivery.shipments s WHERE s.tracking_number = number;
END $$;
-- +goose StatementEnd
