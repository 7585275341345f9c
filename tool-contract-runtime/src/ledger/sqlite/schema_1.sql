-- One row: what the ledger as a whole remembers.
CREATE TABLE meta (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    schema_version  INTEGER NOT NULL,
    -- The newest fence that was given. It never falls.
    fence           INTEGER NOT NULL,
    -- The latest time that was shown, to the second, in milliseconds since the
    -- epoch.
    clock           INTEGER NOT NULL
) STRICT;

INSERT INTO meta (one, schema_version, fence, clock) VALUES (1, 0, 0, 0);

-- One row per operation. All times are milliseconds since the epoch.
CREATE TABLE operations (
    id                  INTEGER PRIMARY KEY,
    -- Empty where the application has only one.
    tenant              TEXT NOT NULL,
    tool                TEXT NOT NULL,
    key                 TEXT NOT NULL,
    -- SHA-256 of tool, contract version and arguments.
    hash                BLOB NOT NULL,
    -- As JSON, secrets left out.
    arguments           TEXT NOT NULL,
    -- awaiting_approval, approved, denied, running, released, exhausted,
    -- succeeded, unknown, reconciling, abandoned or expired.
    state               TEXT NOT NULL,
    -- running, reconciling
    lease_until         INTEGER,
    -- released, exhausted
    not_before          INTEGER,
    -- succeeded, denied, abandoned
    expires_at          INTEGER,
    -- succeeded, as JSON
    result              TEXT,
    -- unknown, reconciling
    unknown_since       INTEGER,
    believed_from       INTEGER,
    cause               TEXT,
    -- abandoned: who, and why, as JSON
    abandoned           TEXT,
    -- The newest claim, and the call and the runtime that made it.
    fence               INTEGER NOT NULL,
    nonce               BLOB NOT NULL,
    holder              BLOB NOT NULL,
    -- Attempts under this key, and how many of them the newest claim reserved.
    attempts            INTEGER NOT NULL,
    reserved            INTEGER NOT NULL,
    -- What the contract of the newest claim says.
    attempts_per_claim  INTEGER NOT NULL,
    max_total           INTEGER NOT NULL,
    repeatable          INTEGER NOT NULL,
    reconcilable        INTEGER NOT NULL,
    lease_ms            INTEGER NOT NULL,
    timeout_ms          INTEGER NOT NULL,
    -- Whether an attempt ends at its timeout: a body that is not async may not.
    stoppable           INTEGER NOT NULL,
    settle_ms           INTEGER NOT NULL,
    ttl_ms              INTEGER NOT NULL,
    sliding             INTEGER NOT NULL,
    remint              TEXT NOT NULL,
    confirm_ms          INTEGER,
    quorum              INTEGER,
    saga                INTEGER NOT NULL,
    -- Whether a saga answers for it: what failed waits for no person.
    covered             INTEGER NOT NULL,
    -- The request for approval that stands, as JSON.
    approval            TEXT,
    escalation          TEXT,
    -- What an earlier claim left unknown and the newest repeats, as JSON.
    doubt               TEXT,
    correlation_id      TEXT,
    -- Of which limits the newest claim holds slots while it runs, as JSON.
    slots               TEXT,
    created_at          INTEGER NOT NULL,
    changed_at          INTEGER NOT NULL,
    -- The end of the history: how many events, and the hash of the newest.
    events              INTEGER NOT NULL,
    head                BLOB NOT NULL,
    UNIQUE (tenant, tool, key)
) STRICT;

-- Finds the same operation under another key. Only claims change it.
CREATE INDEX operations_by_intent ON operations (tenant, tool, hash, fence) WHERE fence > 0;

-- What somebody may have to look at. The states that every call passes through
-- are left out, so that no call pays for this.
CREATE INDEX operations_of_note ON operations (state, tenant, tool, key)
    -- Not IN: that builds a table for each row that is written.
    WHERE state = 'awaiting_approval' OR state = 'approved' OR state = 'denied'
        OR state = 'unknown' OR state = 'reconciling' OR state = 'exhausted'
        OR state = 'abandoned';

-- The history of each operation; each event's hash covers the one before it.
CREATE TABLE events (
    operation   INTEGER NOT NULL REFERENCES operations (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    fence       INTEGER NOT NULL,
    detail      TEXT,
    hash        BLOB NOT NULL,
    PRIMARY KEY (operation, seq)
) STRICT, WITHOUT ROWID;

-- What is known of expired keys beyond that they are: out of the way of calls.
CREATE TABLE archive (
    operation   INTEGER PRIMARY KEY REFERENCES operations (id),
    -- The operation itself keeps none.
    arguments   TEXT NOT NULL,
    archived_at INTEGER NOT NULL
) STRICT;

-- Their histories, as in events.
CREATE TABLE archived_events (
    operation   INTEGER NOT NULL REFERENCES operations (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    fence       INTEGER NOT NULL,
    detail      TEXT,
    hash        BLOB NOT NULL,
    PRIMARY KEY (operation, seq)
) STRICT, WITHOUT ROWID;

-- How much of each limit is used up.
CREATE TABLE cells (
    tool        TEXT NOT NULL,
    -- tool, tenant, user or workflow
    scope       TEXT NOT NULL,
    -- So many per second, minute, hour, day, ever, or at a time.
    most        INTEGER NOT NULL,
    per         TEXT NOT NULL,
    -- Empty where the scope has none.
    tenant      TEXT NOT NULL,
    subject     TEXT NOT NULL,
    -- For a rate: the theoretical arrival time; for a count: when it was first
    -- drawn from; for slots: when the last of them is free at the latest. In
    -- nanoseconds since the epoch.
    arrival     INTEGER NOT NULL,
    -- For a count: how many.
    used        INTEGER NOT NULL,
    -- For calls at a time: who holds the slots, as JSON: fence, and until when.
    slots       TEXT,
    PRIMARY KEY (tool, scope, most, per, tenant, subject)
) STRICT, WITHOUT ROWID
