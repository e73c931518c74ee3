/// What wrk and pgbench run.
enum BenchScripts {
    private static let seeded = """
        local threads = 0

        function setup(thread)
            threads = threads + 1
            thread:set("number", threads)
        end

        local first, count

        function init(args)
            first, count = tonumber(args[1]), tonumber(args[2])
            math.randomseed(tonumber(args[3]) * 7919 + number)
        end

        """

    /// Fetches of random products; arguments: first id, count, seed, path.
    static let fetch =
        seeded + """
            local path
            local seed = init

            function init(args)
                seed(args)
                path = args[4]
            end

            function request()
                return wrk.format("GET", path .. (first + math.random(0, count - 1)))
            end
            """

    /// Changes of random products, each to another price; arguments: first id, count, seed.
    static let change =
        seeded + """
            wrk.headers["content-type"] = "application/json"

            function request()
                local id = first + math.random(0, count - 1)
                local cents = math.random(1, 9999999)
                local body = string.format(
                    '{"code":"P-%d","name":"Bench product %d","model":"M-%d","price":%d.%02d,'
                        .. '"url":"https://shop.example/products/%d"}',
                    id, id, id, math.floor(cents / 100), cents % 100, id)
                return wrk.format("PUT", "/v1/products/" .. id, nil, body)
            end
            """

    /// What a service without Rastro would do: five round trips a change.
    static func naive(products: Int) -> String {
        """
        \\set id random(1, \(products))
        \\set cents random(1, 9999999)
        begin;
        update naive.products set price = :cents / 100.0, version = version + 1, updated_at = now() where id = :id;
        insert into naive.events (product_id, type, user_id, data) values (:id, 'UPDATED', 'bench', '{"price":{"from":19.9,"to":17.9}}');
        insert into naive.outbox (product_id, payload) values (:id, '{"type":"rastro.product.updated","subject":"products/5","data":{"price":{"from":19.9,"to":17.9}}}');
        commit;

        """
    }

    static func naiveTables(products: Int) -> String {
        """
        create schema naive;
        create table naive.products (
            id bigint primary key, version integer not null, code text not null unique, name text not null,
            model text not null, price numeric(15, 4) not null, url text, created_at timestamptz not null,
            updated_at timestamptz not null) with (fillfactor = 80);
        insert into naive.products
        select n, 1, 'P-' || n, 'Bench product ' || n, 'M-' || n, 1, 'https://shop.example/products/' || n, now(), now()
        from generate_series(1, \(products)) n;
        create table naive.events (
            position bigint generated always as identity primary key, product_id bigint not null, type text not null,
            user_id text not null, recorded_at timestamptz not null default now(), data json);
        create index on naive.events (product_id, position);
        create index on naive.events (user_id, position);
        create table naive.outbox (
            id bigint generated always as identity primary key, product_id bigint not null, payload json not null);
        analyze naive.products;
        """
    }
}
