-- Processes that trade and compute, and who computes which run: any process may claim a run that nobody
-- works on, keeps it by a lease, and loses it when the lease ends without a renewal.

create table workers (
  name text primary key
    constraint workers_name_length check (length(name) between 1 and 200),
  host text not null
    constraint workers_host_length check (length(host) between 1 and 253),
  pid integer not null
    constraint workers_pid_positive check (pid > 0),
  role text not null
    constraint workers_role_known check (role in ('serve', 'worker')),
  version text not null
    constraint workers_version_length check (length(version) between 1 and 40),
  started_at timestamptz not null,
  beat_at timestamptz not null,
  -- The epoch of trading states it goes by, by workspace.
  epochs jsonb not null
    constraint workers_epochs_small
    check (jsonb_typeof(epochs) = 'object' and pg_column_size(epochs) <= 65536)
);

create index workers_beat_idx on workers (beat_at);

-- A row is made by the first claim of a run and goes when the run ends.
create table run_jobs (
  run_id bigint primary key references runs (id) on delete cascade,
  -- Null after it was given back.
  holder text
    constraint run_jobs_holder_length check (length(holder) between 1 and 200),
  -- Rises with every claim: whoever writes with an older one has lost the run.
  token bigint not null
    constraint run_jobs_token_positive check (token > 0),
  -- Claims that did not end by giving it back.
  tries integer not null
    constraint run_jobs_tries_known check (tries >= 0),
  expires_at timestamptz not null,
  stage text not null
    constraint run_jobs_stage_known
    check (stage in ('waiting', 'downloading', 'loading', 'computing', 'storing')),
  share double precision
    constraint run_jobs_share_range check (share between 0 and 1)
);

-- What is to be claimed is looked for often among runs of which nearly all have ended.
create index runs_open_idx on runs (id) where status in ('queued', 'running');
