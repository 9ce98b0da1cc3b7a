-- a product is listed as in stock if a level of it has goods that are not held
(SELECT product_id, level_id FROM stock.levels JOIN catalogue.skus USING (sku) WHERE on_hand > reserved EXCEPT SELECT product_id, level_id FROM stock.available)
UNION ALL
(SELECT product_id, level_id FROM stock.available EXCEPT SELECT product_id, level_id FROM stock.levels JOIN catalogue.skus USING (sku) WHERE on_hand > reserved)
