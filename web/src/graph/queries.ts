import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { call } from "@/api/client";

const MOST_LISTED = 100;
/** As many as a drawing stays readable with, and as the API gives. */
export const MOST_AROUND = 200;

export const entitiesQuery = (kb: string, text: string, type: string) =>
  queryOptions({
    queryKey: ["entities", kb, text, type],
    queryFn: ({ signal }) =>
      call("list_entities", {
        path: { kb },
        query: { q: text || null, type: type || null, limit: MOST_LISTED },
        signal,
      }),
    placeholderData: keepPreviousData,
  });

export const typesQuery = (kb: string) =>
  queryOptions({
    queryKey: ["entity-types", kb],
    queryFn: ({ signal }) => call("list_labels", { path: { kb }, signal }),
  });

export const entityQuery = (kb: string, entity: string) =>
  queryOptions({
    queryKey: ["entity", kb, entity],
    queryFn: ({ signal }) => call("get_entity", { path: { kb, entity }, signal }),
  });

export const aroundQuery = (kb: string, entity: string, hops: number) =>
  queryOptions({
    queryKey: ["around", kb, entity, hops],
    queryFn: ({ signal }) =>
      call("get_neighbourhood", { path: { kb, entity }, query: { hops, limit: MOST_AROUND }, signal }),
    placeholderData: keepPreviousData,
  });
