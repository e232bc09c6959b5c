"""The record store on Neo4j 5 community: nodes named as the SQLite tables, each with its knowledge base or tenant.

Order of locks, for every transaction: stages by position, then the knowledge base, entities by id, the document, the
knowledge base's change counter, the audit trail. Counters of entities move under the knowledge base's lock.
"""
