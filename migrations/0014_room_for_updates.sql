-- Rows that are written again and again keep room in their page, so that indexes are left alone.
alter table snapshots set (fillfactor = 40);
alter table account_leases set (fillfactor = 40);
alter table bot_states set (fillfactor = 50);
