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
    -- A number for tenant, tool and hash, to find others of the same by. Two that
    -- share it are told apart by these.
    intent      bigint NOT NULL,
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
    -- The state again if somebody may have to look at it. Those that every call
    -- passes through are left out, so that no call pays for the index.
    of_note     text,
    PRIMARY KEY (tenant, tool, key)
)
-- A settlement finds room beside its claim, and touches no index.
WITH (fillfactor = 70);

-- Finds the same operation under another key. Only claims change it.
CREATE INDEX operations_by_intent
    ON tool_contract.operations (intent, fence) WHERE fence > 0;

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
    -- Whose calls it counts together, as JSON.
    cell        text COLLATE "C" PRIMARY KEY,
    -- For a rate: the theoretical arrival time; for a count: when it was first
    -- drawn from; for slots: when the last of them is free at the latest. In
    -- nanoseconds since the epoch.
    arrival     bigint NOT NULL,
    -- For a count: how many.
    used        bigint NOT NULL,
    -- For calls at a time: which claims hold the slots, and until when.
    fences      bigint[] NOT NULL DEFAULT '{}',
    untils      bigint[] NOT NULL DEFAULT '{}'
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

-- Carries out a batch of steps, each by itself, all durably or none. They come
-- in the order of their names, as do the places of the locks, so that no two
-- batches wait for each other.
--
-- What is asked: of which `ledger`; `look`, the hash whose twins to tell where there
-- is no record, and `intent`, the number of that hash or of the row's; and to write,
-- `expected` (the version to build on, 0 for none), `seen` (the twins that are known,
-- newest first, a line with version and key for each; null if they do not matter),
-- `at`, and the row. Of `events`, those up to `in_row` go into the row, and those up to
-- `last` beside it. Of the draws, those from `first_draw` to `last_draw` are its
-- own, each of a `kind`: `rate` by an increment (`amount`), from a cell that is no
-- further ahead than a `bound`; `count` up to an amount and for so long after the first
-- (`bound`), `slot` among so many until a time. Where all are rates it is `plain`. Up to
-- `last_hold` follows each `hold`, which keeps a claim's slot until a time. Without a
-- key it only draws.
--
-- What is answered, in `answer`: `put`; `limited`, with the draw that has no room, and
-- how many it has counted; or `found`, with what there is.
CREATE FUNCTION tool_contract.exchange(
    ledger text, places bigint[], tenants text[], tools text[], keys text[], looks bytea[],
    intents bigint[], expecteds bigint[], seens text[], ats bigint[], records text[],
    states text[], hashes bytea[], fences bigint[], changed_ats bigint[], expires_ats bigint[],
    firsts integer[], in_rows integer[], lasts integer[], seqs integer[], events text[],
    first_draws integer[], last_draws integer[], last_holds integer[], plains boolean[],
    cells text[], kinds text[], amounts bigint[], bounds bigint[],
    oldest_ms bigint, look_back integer, lock_ms integer)
RETURNS TABLE (number integer, answer text, told bigint, version bigint, record text,
    twin_keys text[], twin_versions bigint[], twin_records text[],
    draw integer, retry_after bigint, spent bigint)
-- Each statement finds its rows by an index. A session keeps its plans, and one made
-- while the table had a page or two would read all of it for ever after.
LANGUAGE plpgsql VOLATILE SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    tenant_ text;
    tool_   text;
    key_    text;
    fits    boolean;
    made    bigint;
    bell    text;
    note    text;
    now_ms  bigint;
    nanos   bigint;
    draws   boolean;
    is_free boolean;
    names   text[];
    met     integer;
    cell    tool_contract.cells;
    drawn   tool_contract.cells[];
    has_room boolean;
    wait    bigint;
    place   bigint;
    done    text;
BEGIN
    -- A pooler may have had this session prepare the statement of another ledger
    -- by the same name.
    IF ledger <> 'tool_contract' THEN
        RAISE EXCEPTION 'this is not the ledger %', ledger
            USING ERRCODE = 'invalid_sql_statement_name';
    END IF;
    -- Assigned, not performed: that makes a query of its own of each.
    done := tool_contract.begin();
    done := set_config('lock_timeout', lock_ms::text, true);
    -- Two first calls of one intent under two keys must not both find no twin,
    -- and what a limit says must hold until it is drawn from.
    FOREACH place IN ARRAY places LOOP
        done := pg_advisory_xact_lock(place);
    END LOOP;

    -- By subscript: rows made of so many arrays take longer than all the rest.
    FOR i IN 1 .. cardinality(keys) LOOP
        tenant_ := tenants[i]; tool_ := tools[i]; key_ := keys[i];
        now_ms := tool_contract.now_ms();
        number := i; answer := 'found'; told := now_ms;
        version := NULL; record := NULL;
        twin_keys := NULL; twin_versions := NULL; twin_records := NULL;
        draw := NULL; retry_after := NULL; spent := NULL;
        bell := NULL;

        -- Null where nothing is proposed. Each statement sees what was committed
        -- by then; what changes after a look is noticed when it is written.
        fits := key_ IS NULL OR (ats[i] <= now_ms AND now_ms - ats[i] <= oldest_ms);
        IF fits AND seens[i] IS NOT NULL THEN
            fits := seens[i] = array_to_string(ARRAY(
                SELECT o.version || ' ' || o.key FROM tool_contract.operations AS o
                WHERE o.intent = intents[i] AND o.fence > 0
                    -- Not by `=`, or a plan may go by the primary key, through every
                    -- key of the tool.
                    AND (o.tenant, o.tool, o.hash) IS NOT DISTINCT FROM (tenant_, tool_, looks[i])
                ORDER BY o.fence DESC LIMIT look_back), E'\n');
        END IF;
        drawn := '{}';
        draws := fits AND first_draws[i] <= last_draws[i];
        is_free := false;
        IF draws THEN
            names := cells[first_draws[i] : last_draws[i]];
            IF plains[i] THEN
                -- Most draw from rates, and these have room: so much is seen at a glance.
                -- A cell that is not there is as one that has refilled.
                is_free := NOT EXISTS (
                    SELECT FROM tool_contract.cells AS c
                    WHERE c.cell = ANY (names) AND c.arrival > now_ms * 1000000
                        + bounds[first_draws[i] - 1 + array_position(names, c.cell)]);
            END IF;
            IF NOT is_free AND key_ IS NOT NULL THEN
                -- A replay is not limited.
                fits := expecteds[i] = coalesce((
                    SELECT o.version FROM tool_contract.operations AS o
                    WHERE o.tenant = tenant_ AND o.tool = tool_ AND o.key = key_), 0);
            END IF;
            IF fits AND NOT is_free THEN
                -- As `ledger::limit` of tool-contract-spec draws.
                nanos := now_ms * 1000000;
                FOR d IN first_draws[i] .. last_draws[i] LOOP
                    SELECT * INTO cell FROM tool_contract.cells AS c WHERE c.cell = cells[d];
                    IF NOT FOUND THEN
                        cell := ROW(cells[d], 0::bigint, 0::bigint, '{}'::bigint[],
                            '{}'::bigint[])::tool_contract.cells;
                    END IF;
                    IF kinds[d] = 'rate' THEN
                        -- Only a clock that stepped back leaves more than a full debt. It
                        -- lets one through, which brings the cell to the new time.
                        cell.arrival := CASE WHEN cell.arrival > nanos + bounds[d] + amounts[d]
                            THEN nanos + bounds[d] ELSE greatest(cell.arrival, nanos) END;
                        wait := cell.arrival - nanos - bounds[d];
                        has_room := wait <= 0;
                        cell.arrival := cell.arrival + amounts[d];
                    ELSIF kinds[d] = 'count' THEN
                        cell.arrival := CASE WHEN cell.used = 0 THEN nanos ELSE cell.arrival END;
                        wait := NULL;
                        has_room := cell.used < amounts[d] AND nanos - cell.arrival < bounds[d];
                        cell.used := cell.used + has_room::integer;
                    ELSE
                        SELECT count(*) < amounts[d], (min(until) - now_ms) * 1000000
                        INTO has_room, wait
                        FROM unnest(cell.untils) AS until WHERE until > now_ms;
                        cell.fences := cell.fences || fences[i];
                        cell.untils := cell.untils || bounds[d];
                    END IF;
                    drawn := drawn || cell;
                    -- Of several the one that has no room for longest.
                    IF NOT has_room AND (draw IS NULL OR wait IS NULL OR wait >= retry_after) THEN
                        draw := d - first_draws[i]; retry_after := wait; spent := cell.used;
                    END IF;
                END LOOP;
                IF draw IS NOT NULL THEN
                    answer := 'limited';
                    RETURN NEXT;
                    CONTINUE;
                END IF;
            END IF;
        END IF;

        note := CASE WHEN states[i] NOT IN ('running', 'released', 'succeeded', 'expired')
            THEN states[i] END;
        IF fits AND expecteds[i] = 0 THEN
            INSERT INTO tool_contract.operations AS o
                (tenant, tool, key, version, record, state, hash, intent, fence,
                changed_at, expires_at, history, of_note)
            VALUES (tenant_, tool_, key_, 1, records[i], states[i], hashes[i], intents[i], fences[i],
                changed_ats[i], expires_ats[i], events[firsts[i] : in_rows[i]], note)
            ON CONFLICT DO NOTHING RETURNING o.id INTO made;
            fits := FOUND;
        ELSIF fits AND expecteds[i] > 0 THEN
            UPDATE tool_contract.operations AS o
            SET version = expecteds[i] + 1, record = records[i], state = states[i],
                hash = hashes[i], intent = intents[i], fence = fences[i],
                changed_at = changed_ats[i], expires_at = expires_ats[i],
                history = o.history || events[firsts[i] : in_rows[i]], of_note = note,
                archived = false
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
            IF is_free THEN
                UPDATE tool_contract.cells AS c
                SET arrival = greatest(c.arrival, now_ms * 1000000)
                    + amounts[first_draws[i] - 1 + array_position(names, c.cell)]
                WHERE c.cell = ANY (names);
                GET DIAGNOSTICS met = ROW_COUNT;
                IF met < cardinality(names) THEN
                    INSERT INTO tool_contract.cells (cell, arrival, used)
                    SELECT cells[d], now_ms * 1000000 + amounts[d], 0
                    FROM generate_series(first_draws[i], last_draws[i]) AS d
                    ON CONFLICT DO NOTHING;
                END IF;
            ELSIF cardinality(drawn) > 0 THEN
                INSERT INTO tool_contract.cells AS c
                SELECT DISTINCT * FROM unnest(drawn)
                ON CONFLICT (cell) DO UPDATE SET arrival = excluded.arrival,
                    used = excluded.used, fences = excluded.fences, untils = excluded.untils;
            END IF;
            IF last_holds[i] > last_draws[i] OR draws AND NOT is_free THEN
                FOR d IN first_draws[i] .. last_holds[i] LOOP
                    CONTINUE WHEN kinds[d] <> 'hold' AND kinds[d] <> 'slot';
                    -- What ran out goes with it.
                    UPDATE tool_contract.cells AS c SET (arrival, fences, untils) = (
                        SELECT least(coalesce(max(s.until), 0), 9000000000000) * 1000000,
                            coalesce(array_agg(s.fence), '{}'), coalesce(array_agg(s.until), '{}')
                        FROM (
                            SELECT held.fence, CASE WHEN kinds[d] = 'hold' AND held.fence = amounts[d]
                                THEN bounds[d] ELSE held.until END AS until
                            FROM unnest(c.fences, c.untils) AS held (fence, until)
                        ) AS s WHERE s.until > now_ms
                    ) WHERE c.cell = cells[d];
                END LOOP;
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
                WHERE o.intent = intents[i] AND o.fence > 0
                    AND (o.tenant, o.tool, o.hash) IS NOT DISTINCT FROM (tenant_, tool_, looks[i])
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
        FROM over
        WHERE o.tenant = id_tenant AND o.tool = id_tool AND o.key = id_key AND o.id = over.id
    ), moved AS (
        DELETE FROM tool_contract.events AS e USING over WHERE e.operation = over.id
        RETURNING e.*
    )
    INSERT INTO tool_contract.archived_events
    -- Not as JSON: that has no room for the character zero.
    SELECT over.id, substring(event FROM '"seq":([0-9]+)')::integer, event
    FROM over, unnest(history) AS event
    UNION ALL SELECT * FROM moved;
$$;
