"""
labkit: who holds a connection, on which loop, for which task.

How the tree is laid out; imports point down, and a test checks it:

    cli                 the `labkit` command: parse, call, print
    course  notebook    lessons as data, and the tour; the JupyterLab side
    bugs                deliberately broken engines, one seam away from the correct one
    engine  services  scene
                        the corrected engine; where MySQL and Redis come from; a private loop that closes
    settings            what can be chosen from outside
    errors              every exception of labkit's own
"""
