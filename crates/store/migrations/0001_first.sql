-- Says whose file this is ("SWHK"), so that no other program's database is taken for ours.
PRAGMA application_id = 1398229067;

-- Times are milliseconds since 1970 in UTC, flags 0 or 1, hooks and further properties JSON.
-- declared = 1: the entry stands in the configuration file, at that position.

CREATE TABLE applications (
    id INTEGER PRIMARY KEY,
    application_sid TEXT NOT NULL UNIQUE,
    account_sid TEXT NOT NULL,
    name TEXT NOT NULL,
    call_hook TEXT,
    call_status_hook TEXT,
    messaging_hook TEXT,
    app_json TEXT,
    strict INTEGER NOT NULL,
    default_hooks INTEGER NOT NULL,
    decline TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    extra TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    declared INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX applications_by_name ON applications (account_sid, name);

CREATE TABLE voip_carriers (
    id INTEGER PRIMARY KEY,
    voip_carrier_sid TEXT NOT NULL UNIQUE,
    account_sid TEXT,
    service_provider_sid TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    application_sid TEXT REFERENCES applications (application_sid),
    e164_leading_plus INTEGER NOT NULL,
    tech_prefix TEXT,
    diversion TEXT,
    send_call_sid INTEGER NOT NULL,
    requires_register INTEGER NOT NULL,
    register_username TEXT,
    register_password TEXT,
    register_sip_realm TEXT,
    register_from_user TEXT,
    register_from_domain TEXT,
    inbound_auth_username TEXT,
    inbound_auth_password TEXT,
    extra TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    declared INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX voip_carriers_by_name ON voip_carriers (coalesce(account_sid, ''), name);

CREATE TABLE sip_gateways (
    id INTEGER PRIMARY KEY,
    sip_gateway_sid TEXT NOT NULL UNIQUE,
    voip_carrier_sid TEXT NOT NULL
        REFERENCES voip_carriers (voip_carrier_sid) ON DELETE CASCADE,
    ipv4 TEXT NOT NULL,
    netmask INTEGER NOT NULL,
    port INTEGER,
    protocol TEXT NOT NULL,
    inbound INTEGER NOT NULL,
    outbound INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    weight INTEGER NOT NULL,
    extra TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    declared INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX sip_gateways_of_carrier ON sip_gateways (voip_carrier_sid);

CREATE TABLE phone_numbers (
    id INTEGER PRIMARY KEY,
    phone_number_sid TEXT NOT NULL UNIQUE,
    account_sid TEXT,
    service_provider_sid TEXT NOT NULL,
    number TEXT NOT NULL,
    voip_carrier_sid TEXT REFERENCES voip_carriers (voip_carrier_sid),
    application_sid TEXT REFERENCES applications (application_sid),
    extra TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    declared INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX phone_numbers_by_number
    ON phone_numbers (coalesce(voip_carrier_sid, ''), number);
CREATE INDEX phone_numbers_of_application ON phone_numbers (application_sid);

CREATE TABLE clients (
    id INTEGER PRIMARY KEY,
    client_sid TEXT NOT NULL UNIQUE,
    account_sid TEXT NOT NULL,
    username TEXT NOT NULL,
    password TEXT NOT NULL,
    allow_direct_app_calling INTEGER NOT NULL,
    allow_direct_queue_calling INTEGER NOT NULL,
    allow_direct_user_calling INTEGER NOT NULL,
    extra TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    declared INTEGER NOT NULL,
    position INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX clients_by_username ON clients (account_sid, username);

-- One account is served. declared_*: what the file said last, to tell it from what came by REST.
CREATE TABLE accounts (
    account_sid TEXT NOT NULL PRIMARY KEY,
    service_provider_sid TEXT NOT NULL,
    name TEXT NOT NULL,
    sip_realm TEXT,
    device_calling_application_sid TEXT REFERENCES applications (application_sid),
    webhook_secret TEXT,
    is_active INTEGER NOT NULL,
    extra TEXT NOT NULL,
    declared_sip_realm TEXT,
    declared_device_calling_application_sid TEXT,
    declared_webhook_secret TEXT
);

CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL
);

CREATE TABLE registrations (
    id INTEGER PRIMARY KEY,
    aor TEXT NOT NULL,
    contact TEXT NOT NULL,
    protocol TEXT NOT NULL,
    local TEXT NOT NULL,
    remote TEXT NOT NULL,
    call_id TEXT NOT NULL,
    cseq INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX registrations_of_aor ON registrations (aor);

CREATE TABLE open_calls (
    id INTEGER PRIMARY KEY,
    call_sid TEXT NOT NULL UNIQUE,
    parent_call_sid TEXT,
    account_sid TEXT NOT NULL,
    service_provider_sid TEXT NOT NULL,
    application_sid TEXT,
    direction TEXT NOT NULL,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    sip_callid TEXT NOT NULL,
    sip_parent_callid TEXT,
    trunk TEXT,
    host TEXT NOT NULL,
    remote_host TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    attempted_at INTEGER NOT NULL,
    answered_at INTEGER,
    at INTEGER NOT NULL,
    call_status_hook TEXT,
    base_hook TEXT,
    last_event TEXT
);

CREATE TABLE recent_calls (
    id INTEGER PRIMARY KEY,
    account_sid TEXT NOT NULL,
    service_provider_sid TEXT NOT NULL,
    call_sid TEXT NOT NULL UNIQUE,
    application_sid TEXT,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    answered INTEGER NOT NULL,
    sip_callid TEXT NOT NULL,
    sip_parent_callid TEXT,
    sip_status INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    attempted_at INTEGER NOT NULL,
    answered_at INTEGER,
    terminated_at INTEGER NOT NULL,
    termination_reason TEXT NOT NULL,
    host TEXT NOT NULL,
    remote_host TEXT NOT NULL,
    direction TEXT NOT NULL,
    trunk TEXT,
    trace_id TEXT NOT NULL,
    recording_url TEXT
);
CREATE INDEX recent_calls_by_time ON recent_calls (attempted_at, id);
CREATE INDEX recent_calls_by_callid ON recent_calls (sip_callid);

-- entry_key makes an alert that is written again after an uncertain commit the same alert.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    entry_key TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,
    account_sid TEXT NOT NULL,
    service_provider_sid TEXT NOT NULL,
    alert_type TEXT NOT NULL,
    message TEXT NOT NULL,
    detail TEXT,
    target_sid TEXT,
    url TEXT,
    status INTEGER,
    vendor TEXT,
    label TEXT,
    count INTEGER
);
CREATE INDEX alerts_by_time ON alerts (time, id);
