-- What a device last said of itself over DDI (configData).
create table update_attributes (
    environment    text not null,
    device         text not null,
    attributes     jsonb not null,
    at             timestamptz not null,
    primary key (environment, device)
);
