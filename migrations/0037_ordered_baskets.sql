-- written by: nobody new
-- Staff sees the baskets that belong to orders, so that the check of them finds for staff what it finds for the owner of the tables.

-- +goose Up
CREATE POLICY staff_see_ordered ON orders.baskets FOR SELECT USING (order_id IS NOT NULL AND bus.caller_is_staff());
