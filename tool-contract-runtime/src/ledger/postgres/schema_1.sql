-- One row: what the ledger as a whole remembers.
CREATE TABLE tool_contract.meta (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    schema_version  integer NOT NULL,
    -- The newest fence that was reserved. It never falls.
    fence           bigint NOT NULL
);

INSERT INTO tool_contract.meta (schema_version, fence) VALUES (0, 0);

-- One row per operation. All times are milliseconds since the epoch.
CREATE TABLE tool_contract.operations (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    -- Empty where the application has only one.
    tenant      text COLLATE "C" NOT NULL,
    tool        text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    -- How often it was written. Whoever writes names the version that it saw.
    version     bigint NOT NULL,
    -- The record, as JSON: this is what counts. It is text, for jsonb has no
    -- room for the character zero.
    record      text NOT NULL,
    -- Parts of it again, to be searched:
    -- awaiting_approval, approved, denied, running, released, exhausted,
    -- succeeded, unknown, reconciling, abandoned or expired.
    state       text NOT NULL,
    -- SHA-256 of tool, contract version and arguments.
    hash        bytea NOT NULL,
    -- The newest claim; 0 if it was never claimed.
    fence       bigint NOT NULL,
    changed_at  bigint NOT NULL,
    -- succeeded, denied, abandoned
    expires_at  bigint,
    -- The first events of its history, each as JSON and with the hash of the one
    -- before it. Most operations have no others, and so need no second table.
    history     text[] NOT NULL,
    -- Whether its history was moved since it was last written.
    archived    boolean NOT NULL DEFAULT false,
    -- The name by which somebody is to be told when it comes to rest.
    awaited     text,
    -- What somebody may have to look at. The states that every call passes
    -- through are left out, so that no call pays for the index.
    of_note     text GENERATED ALWAYS AS (CASE WHEN state IN
        ('awaiting_approval', 'approved', 'denied', 'unknown', 'reconciling', 'exhausted',
        'abandoned')
        THEN state END) STORED,
    PRIMARY KEY (tenant, tool, key)
)
-- A settlement finds room beside its claim, and touches no index.
WITH (fillfactor = 70);

-- Finds the same operation under another key. Only claims change it.
CREATE INDEX operations_by_intent
    ON tool_contract.operations (tenant, tool, hash, fence) WHERE fence > 0;

CREATE INDEX operations_of_note
    ON tool_contract.operations (of_note, tenant, tool, key) WHERE of_note IS NOT NULL;

-- What no longer fits into a row's own history. No foreign key: it would cost
-- each call a look.
CREATE TABLE tool_contract.events (
    operation   bigint NOT NULL,
    seq         integer NOT NULL,
    event       text NOT NULL,
    PRIMARY KEY (operation, seq)
);

-- The histories of expired keys, whole: out of the way of calls.
CREATE TABLE tool_contract.archived_events (
    LIKE tool_contract.events, PRIMARY KEY (operation, seq)
);

-- How much of each limit is used up.
CREATE TABLE tool_contract.cells (
    tool        text COLLATE "C" NOT NULL,
    -- tool, tenant, user or workflow
    scope       text COLLATE "C" NOT NULL,
    -- So many per second, minute, hour, day, or ever.
    most        bigint NOT NULL,
    per         text COLLATE "C" NOT NULL,
    -- Empty where the scope has none.
    tenant      text COLLATE "C" NOT NULL,
    subject     text COLLATE "C" NOT NULL,
    -- For a rate: the theoretical arrival time, in nanoseconds since the epoch.
    arrival     bigint NOT NULL,
    -- For a count: how many.
    used        bigint NOT NULL,
    PRIMARY KEY (tool, scope, most, per, tenant, subject)
)
WITH (fillfactor = 50);

-- The time of the ledger.
CREATE FUNCTION tool_contract.now_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;

-- Has this transaction wait for the disk, whatever the server's default is: an
-- admission that is lost is a second effect. And refuses one that cannot see
-- what others committed while it waited for them.
CREATE FUNCTION tool_contract.begin() RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger works at the isolation level READ COMMITTED, and this is %',
            upper(current_setting('transaction_isolation'))
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$;

-- Reserves fences, and gives the first.
CREATE FUNCTION tool_contract.reserve_fences(count bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    newest bigint;
BEGIN
    PERFORM tool_contract.begin();
    UPDATE tool_contract.meta SET fence = fence + count RETURNING fence INTO STRICT newest;
    RETURN newest - count + 1;
END $$;

-- The cells of some draws as they would be after them, and which have no room:
-- the generic cell rate algorithm, as `ledger::limit` of tool-contract-spec has
-- it. `retry_after` is in nanoseconds, and null where there will never be room.
CREATE FUNCTION tool_contract.drawn(draws json, now_ms bigint)
RETURNS TABLE (number bigint, tool text, scope text, most bigint, per text, tenant text,
    subject text, arrival bigint, used bigint, has_room boolean, retry_after bigint)
LANGUAGE sql VOLATILE AS $$
    SELECT number, tool, scope, most, per, tenant, subject,
        CASE WHEN per = 'ever' THEN arrival ELSE next END,
        CASE WHEN per = 'ever' THEN used + 1 ELSE used END,
        CASE WHEN per = 'ever' THEN used < most ELSE next - nanos <= span END,
        CASE WHEN per = 'ever' THEN NULL ELSE next - nanos - span END
    FROM (
        SELECT d.*, coalesce(c.arrival, 0) AS arrival, coalesce(c.used, 0) AS used,
            now_ms * 1000000 AS nanos, greatest(d.most, 1) AS count,
            CASE d.per WHEN 'second' THEN 1 WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600
                WHEN 'day' THEN 86400 END * 1000000000::bigint AS period
        FROM json_to_recordset(draws) AS d (number bigint, tool text, scope text, most bigint,
            per text, tenant text, subject text)
        LEFT JOIN tool_contract.cells AS c
            ON (c.tool, c.scope, c.most, c.per, c.tenant, c.subject)
             = (d.tool, d.scope, d.most, d.per, d.tenant, d.subject)
    ) AS before,
    LATERAL (SELECT greatest(period / count, 1) AS increment) AS a,
    -- Not the period itself: what the division lost would add up to one more.
    LATERAL (SELECT increment * count AS span) AS b,
    -- Only a clock that stepped back leaves more than a full debt. It lets one
    -- through, which brings the cell to the new time.
    LATERAL (SELECT CASE WHEN arrival > nanos + span THEN nanos + span
        ELSE greatest(arrival, nanos) + increment END AS next) AS c
$$;

-- Carries out a batch of steps, each by itself, all durably or none. They come
-- in the order of their names, as do the places of the locks, so that no two
-- batches wait for each other.
--
-- What is asked: `look`, the hash whose twins to tell where there is no record;
-- and to write, `expected` (the version to build on, 0 for none), `seen` (the
-- twins that are known, newest first, a line with version and key for each; null if
-- they do not matter), `at`,
-- and the row. Of `events`, those up to `in_row` go into the row, and those up to
-- `last` beside it. Without a key it only draws.
--
-- What is answered, in `answer`: `put`; `limited`, with the draw that has no room;
-- or `found`, with what there is.
CREATE FUNCTION tool_contract.exchange(
    places bigint[], tenants text[], tools text[], keys text[], looks bytea[],
    expecteds bigint[], seens text[], ats bigint[], records text[], states text[],
    hashes bytea[], fences bigint[], changed_ats bigint[], expires_ats bigint[],
    firsts integer[], in_rows integer[], lasts integer[], seqs integer[], events text[],
    draws text[], oldest_ms bigint, look_back integer, lock_ms integer)
RETURNS TABLE (number integer, answer text, told bigint, version bigint, record text,
    twin_keys text[], twin_versions bigint[], twin_records text[],
    draw integer, retry_after bigint)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
    tenant_ text;
    tool_   text;
    key_    text;
    fits    boolean;
    made    bigint;
    bell    text;
    now_ms  bigint;
BEGIN
    PERFORM tool_contract.begin();
    PERFORM set_config('lock_timeout', lock_ms::text, true);
    -- Two first calls of one intent under two keys must not both find no twin,
    -- and what a limit says must hold until it is drawn from.
    IF cardinality(places) > 0 THEN
        PERFORM pg_advisory_xact_lock(place) FROM unnest(places) AS place;
    END IF;

    -- By subscript: rows made of so many arrays take longer than all the rest.
    FOR i IN 1 .. cardinality(keys) LOOP
        tenant_ := tenants[i]; tool_ := tools[i]; key_ := keys[i];
        now_ms := tool_contract.now_ms();
        number := i; answer := 'found'; told := now_ms;
        version := NULL; record := NULL;
        twin_keys := NULL; twin_versions := NULL; twin_records := NULL;
        draw := NULL; retry_after := NULL;
        bell := NULL;

        -- Null where nothing is proposed. Each statement sees what was committed
        -- by then; what changes after a look is noticed when it is written.
        fits := key_ IS NULL OR (ats[i] <= now_ms AND now_ms - ats[i] <= oldest_ms);
        IF fits AND seens[i] IS NOT NULL THEN
            SELECT coalesce(string_agg(t.version || ' ' || t.key, E'\n' ORDER BY t.fence DESC), '')
                = seens[i]
            INTO fits
            FROM (
                SELECT o.key, o.version, o.fence FROM tool_contract.operations AS o
                WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.hash = looks[i] AND o.fence > 0
                ORDER BY o.fence DESC LIMIT look_back
            ) AS t;
        END IF;
        IF fits AND draws[i] IS NOT NULL THEN
            IF key_ IS NOT NULL THEN
                fits := expecteds[i] = coalesce((
                    SELECT o.version FROM tool_contract.operations AS o
                    WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.key = key_), 0);
            END IF;
            IF fits THEN
                -- Of several the one that has no room for longest.
                SELECT d.number, d.retry_after INTO draw, retry_after
                FROM tool_contract.drawn(draws[i]::json, now_ms) AS d WHERE NOT d.has_room
                ORDER BY d.retry_after DESC NULLS FIRST, d.number DESC LIMIT 1;
                IF FOUND THEN
                    answer := 'limited';
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
        END IF;

        IF fits AND expecteds[i] = 0 THEN
            INSERT INTO tool_contract.operations AS o
                (tenant, tool, key, version, record, state, hash, fence, changed_at, expires_at,
                history)
            VALUES (tenant_, tool_, key_, 1, records[i], states[i], hashes[i], fences[i],
                changed_ats[i], expires_ats[i], events[firsts[i] : in_rows[i]])
            ON CONFLICT DO NOTHING RETURNING o.id INTO made;
            fits := FOUND;
        ELSIF fits AND expecteds[i] > 0 THEN
            UPDATE tool_contract.operations AS o
            SET version = expecteds[i] + 1, record = records[i], state = states[i],
                hash = hashes[i], fence = fences[i], changed_at = changed_ats[i],
                expires_at = expires_ats[i],
                history = o.history || events[firsts[i] : in_rows[i]], archived = false
            WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.key = key_
                AND o.version = expecteds[i]
            RETURNING o.id, o.awaited INTO made, bell;
            fits := FOUND;
        END IF;

        IF fits THEN
            IF in_rows[i] < lasts[i] THEN
                INSERT INTO tool_contract.events (operation, seq, event)
                SELECT made, seqs[i] + place - 1, event
                FROM unnest(events[in_rows[i] + 1 : lasts[i]])
                    WITH ORDINALITY AS e (event, place);
            END IF;
            IF draws[i] IS NOT NULL THEN
                INSERT INTO tool_contract.cells AS c
                    (tool, scope, most, per, tenant, subject, arrival, used)
                SELECT DISTINCT d.tool, d.scope, d.most, d.per, d.tenant, d.subject, d.arrival,
                    d.used
                FROM tool_contract.drawn(draws[i]::json, now_ms) AS d
                ON CONFLICT (tool, scope, most, per, tenant, subject)
                DO UPDATE SET arrival = excluded.arrival, used = excluded.used;
            END IF;
            -- Only where somebody asked for it: commits that notify wait for
            -- each other.
            IF bell IS NOT NULL
                AND states[i] NOT IN ('running', 'reconciling', 'awaiting_approval')
            THEN
                PERFORM pg_notify('tool_contract', bell);
            END IF;
            answer := 'put';
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT o.version, o.record INTO version, record FROM tool_contract.operations AS o
        WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.key = key_;
        IF NOT FOUND AND looks[i] IS NOT NULL THEN
            SELECT array_agg(t.key), array_agg(t.version), array_agg(t.record)
            INTO twin_keys, twin_versions, twin_records
            FROM (
                SELECT o.key, o.version, o.record FROM tool_contract.operations AS o
                WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.hash = looks[i] AND o.fence > 0
                ORDER BY o.fence DESC LIMIT look_back
            ) AS t;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- Asks to be told by the name `bell` when an operation comes to rest, and says
-- how it stands.
CREATE FUNCTION tool_contract.await(id_tenant text, id_tool text, id_key text, bell text)
RETURNS TABLE (state text, fence bigint) LANGUAGE sql VOLATILE AS $$
    UPDATE tool_contract.operations AS o SET awaited = bell
    WHERE o.tenant = id_tenant AND o.tool = id_tool AND o.key = id_key
        AND o.state IN ('running', 'reconciling', 'awaiting_approval')
        AND o.awaited IS DISTINCT FROM bell;
    SELECT o.state, o.fence FROM tool_contract.operations AS o
    WHERE o.tenant = id_tenant AND o.tool = id_tool AND o.key = id_key;
$$;

-- Moves the history of an expired operation out of the way.
CREATE FUNCTION tool_contract.archive(id_tenant text, id_tool text, id_key text)
RETURNS void LANGUAGE sql VOLATILE AS $$
    WITH over AS (
        SELECT o.id, o.history FROM tool_contract.operations AS o
        WHERE o.tenant = id_tenant AND o.tool = id_tool AND o.key = id_key
            AND o.state = 'expired' AND NOT o.archived
        FOR UPDATE
    ), emptied AS (
        UPDATE tool_contract.operations AS o SET archived = true, history = '{}'
        FROM over WHERE o.id = over.id
    ), moved AS (
        DELETE FROM tool_contract.events AS e USING over WHERE e.operation = over.id
        RETURNING e.*
    )
    INSERT INTO tool_contract.archived_events
    SELECT over.id, (event::json ->> 'seq')::integer, event FROM over, unnest(history) AS event
    UNION ALL SELECT * FROM moved;
$$;
