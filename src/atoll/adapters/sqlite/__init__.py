"""The record store on SQLite: one file, WAL, every commit synced, shared by several processes."""
