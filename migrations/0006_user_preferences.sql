-- What a person set up for themselves in one workspace: columns of a list, last inputs of a form.

create table user_preferences (
  workspace_id bigint not null,
  user_id bigint not null,
  key text not null
    constraint user_preferences_key_shape check (key ~ '^[a-z][a-z0-9_.]{0,99}$'),
  value jsonb not null
    constraint user_preferences_value_small check (pg_column_size(value) <= 65536),
  updated_at timestamptz not null,
  primary key (workspace_id, user_id, key),
  constraint user_preferences_membership_fkey foreign key (workspace_id, user_id)
    references memberships (workspace_id, user_id) on delete cascade
);
