#!/bin/sh
exec python /app/qdrant_stand_in.py "$@"
