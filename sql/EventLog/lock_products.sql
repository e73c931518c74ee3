-- Keeps everybody from the products' table, readers too: the first step of replacing it.
lock table products in access exclusive mode
